--! needs head
-- Looks whether the user may do all that scripts do, since one that is denied a command in the middle would leave a step
-- half written; then whether the keys are ours, and writes the number of their layout where there are none, and what
-- tells this store from all others. Redis 6 has no way to ask what the ACL allows.

local NEEDED = {
  'DEL', 'EXISTS', 'GET', 'HDEL', 'HEXISTS', 'HGET', 'HGETALL', 'HINCRBY', 'HKEYS', 'HLEN', 'HMGET', 'HSET', 'HSETNX', 'HVALS', 'INCR',
  'LINDEX', 'LPOP', 'LRANGE', 'LTRIM', 'RPUSH', 'SADD', 'SET', 'SISMEMBER', 'SMEMBERS', 'SREM', 'TYPE', 'UNLINK', 'XADD', 'XRANGE',
  'XREVRANGE', 'ZADD', 'ZINCRBY', 'ZMSCORE', 'ZRANGE', 'ZRANGEBYLEX', 'ZRANGEBYSCORE', 'ZREM', 'ZREVRANGE', 'ZREVRANGEBYSCORE',
  'ZSCORE',
}

if redis.acl_check_cmd then
  local name = PREFIX .. 'layout'
  for _, command in ipairs(NEEDED) do
    if not redis.acl_check_cmd(command, name, name, name, name) then
      return answer('denied', command)
    end
  end
  if not redis.acl_check_cmd('OBJECT', 'ENCODING', name) then
    return answer('denied', 'OBJECT|ENCODING')
  end
end

local kind = call('TYPE', PREFIX .. 'layout').ok
if kind ~= 'none' and kind ~= 'string' then
  return answer('foreign')
elseif kind == 'none' then
  call('SET', PREFIX .. 'layout', ARGV[1])
  call('SET', PREFIX .. 'identity', ARGV[2], 'NX')
end
local upgrading = call('GET', PREFIX .. 'upgrading')
if upgrading == ARGV[1] then
  return answer('upgrading')
end
return answer(call('GET', PREFIX .. 'layout'))
