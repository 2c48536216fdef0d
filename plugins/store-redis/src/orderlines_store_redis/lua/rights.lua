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

-- Returns how a command is refused: 'denied' by the ACL, or 'unknown' to the server, out of which somebody took it.
local function refusal(...)
  local known, allowed = pcall(redis.acl_check_cmd, ...)
  if not known then
    return 'unknown'
  end
  return not allowed and 'denied' or nil
end

-- Returns a command that is refused, and how; nil where there is none, or where nobody can tell.
local function refused()
  if not redis.acl_check_cmd then
    return nil
  end
  local given = {}
  for _, commands in ipairs(NEEDED) do
    given[#given + 1] = PREFIX .. 'layout'
    for _, command in ipairs(commands) do
      local how = refusal(command, unpack(given))
      if how then
        return command, how
      end
    end
  end
  local how = refusal('OBJECT', 'ENCODING', given[1])
  if how then
    return 'OBJECT|ENCODING', how
  end
  return nil
end
