"""The ring of `ring.py` as a script that runs inside of Redis; a test compares the two.

One call decides many questions. Each key keeps one state: when it was last asked, then slots and
what was admitted in them. Numbers stay below 2^53, which is what Lua's doubles hold exactly.
"""

from typing import Final

RING: Final = """
local now = tonumber(ARGV[1])
if now < 0 then
    local time = redis.call('TIME')
    now = time[1] * 1000000 + time[2]
end

local function settled(key, window, grain)
    local packed = redis.call('GET', key)
    local state = packed and cmsgpack.unpack(packed) or {0}
    if now < state[1] then
        local back = math.floor((state[1] - now) / grain)
        for i = 2, #state, 2 do state[i] = state[i] - back end
    end
    local oldest = math.floor((now - window) / grain)
    local kept, used = {now}, 0
    for i = 2, #state, 2 do
        if #kept > 1 or state[i] >= oldest then
            kept[#kept + 1] = state[i]
            kept[#kept + 1] = state[i + 1]
            used = used + state[i + 1]
        end
    end
    return kept, used
end

local function wait_for(state, excess, window, grain)
    for i = 2, #state, 2 do
        excess = excess - state[i + 1]
        if excess <= 0 then
            return math.max(1, (state[i] + 1) * grain + window - now)
        end
    end
    return window
end

local said, key, arg = {}, 0, 3
for _ = 1, tonumber(ARGV[2]) do
    local cost, count = tonumber(ARGV[arg]), tonumber(ARGV[arg + 1])
    arg = arg + 2
    local states, verdicts, all = {}, {}, true
    for p = 1, count do
        local limit = tonumber(ARGV[arg])
        local window = tonumber(ARGV[arg + 1])
        local grain = tonumber(ARGV[arg + 2])
        arg = arg + 3
        local state, used = settled(KEYS[key + p], window, grain)
        local admitted = used + cost <= limit
        local wait, remaining, resets = 0, limit - used, 0
        if #state > 1 then
            resets = (state[#state - 1] + 1) * grain + window - now
        end
        if admitted then
            remaining = remaining - cost
            resets = math.max(resets, (math.floor(now / grain) + 1) * grain + window - now)
        else
            wait = wait_for(state, used + cost - limit, window, grain)
            all = false
        end
        states[p] = {state, window, grain}
        verdicts[p] = {admitted, math.max(0, remaining), wait, math.max(0, resets)}
    end
    for p = 1, count do
        local verdict = verdicts[p]
        if all then
            local state, window, grain = unpack(states[p])
            local slot = math.floor(now / grain)
            if #state > 1 and state[#state - 1] >= slot then
                state[#state] = state[#state] + cost
            else
                state[#state + 1] = slot
                state[#state + 1] = cost
            end
            local keep = math.ceil((window + 2 * grain) / 1000) + 1000
            redis.call('SET', KEYS[key + p], cmsgpack.pack(state),
                'PX', string.format('%.0f', keep))
        elseif verdict[1] then
            verdict[2] = verdict[2] + cost
        end
        said[#said + 1] = verdict[1] and 1 or 0
        said[#said + 1] = verdict[2]
        said[#said + 1] = verdict[3]
        said[#said + 1] = verdict[4]
    end
    key = key + count
end
return said
"""
