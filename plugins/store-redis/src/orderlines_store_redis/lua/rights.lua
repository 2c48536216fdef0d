--! needs head
-- Looks whether the user may do all that scripts do. Redis 6 has no way to ask what the ACL allows.

-- By how many arguments each is asked about, the key being the first: Redis 8 refuses to say it of a command with too few
-- or too many.
local NEEDED = {
  {'DEL', 'EXISTS', 'GET', 'HGETALL', 'HKEYS', 'HLEN', 'HVALS', 'INCR', 'LPOP', 'SMEMBERS', 'TYPE', 'UNLINK'},
  {'HDEL', 'HEXISTS', 'HGET', 'HMGET', 'LINDEX', 'RPUSH', 'SADD', 'SET', 'SISMEMBER', 'SREM', 'ZMSCORE', 'ZREM', 'ZSCORE'},
  {
    'HINCRBY', 'HSET', 'HSETNX', 'LRANGE', 'LTRIM', 'XRANGE', 'XREVRANGE', 'ZADD', 'ZINCRBY', 'ZRANGE', 'ZRANGEBYLEX',
    'ZRANGEBYSCORE', 'ZREVRANGE', 'ZREVRANGEBYSCORE',
  },
  {'XADD'},
}

-- Returns a command that the user may not run; nil where there is none, or where nobody can tell.
local function denied()
  if not redis.acl_check_cmd then
    return nil
  end
  local given = {}
  for _, commands in ipairs(NEEDED) do
    given[#given + 1] = PREFIX .. 'layout'
    for _, command in ipairs(commands) do
      if not redis.acl_check_cmd(command, unpack(given)) then
        return command
      end
    end
  end
  if not redis.acl_check_cmd('OBJECT', 'ENCODING', given[1]) then
    return 'OBJECT|ENCODING'
  end
  return nil
end
