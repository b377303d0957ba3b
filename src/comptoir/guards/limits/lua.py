"""The ring of `ring.py` as a script that runs inside of Redis; a test compares the two.

One call decides many questions, which come as one packed argument, and go back as one packed
answer: to spell each figure as an argument of its own takes longer than to decide it. Each key
keeps one state: when it was last asked, what counts, where slots that count begin, then slots and
what was admitted in them. Whatever else somebody has put there counts as no state. Numbers stay
below 2^53, which is what Lua's doubles hold exactly.
"""

from typing import Final

RING: Final = """
local asked = cmsgpack.unpack(ARGV[1])
local now = asked[1]
if now < 0 then
    local time = redis.call('TIME')
    now = time[1] * 1000000 + time[2]
end

local LAST, USED, FIRST, SLOTS, COMPACT = 1, 2, 3, 4, 40

local function well_formed(state)
    return type(state) == 'table' and #state % 2 == 1 and type(state[LAST]) == 'number'
        and type(state[USED]) == 'number' and type(state[FIRST]) == 'number'
        and state[FIRST] >= SLOTS and type(state[#state]) == 'number'
end

local function settled(key, window, grain)
    local packed = redis.pcall('GET', key)
    if not packed then return {now, 0, SLOTS} end
    local is_ours, state = pcall(cmsgpack.unpack, packed)
    if not is_ours or not well_formed(state) then return {now, 0, SLOTS} end
    if now < state[LAST] then
        local back = math.floor((state[LAST] - now) / grain)
        for i = state[FIRST], #state, 2 do state[i] = state[i] - back end
    end
    state[LAST] = now
    local oldest = math.floor((now - window) / grain)
    local first, used, count = state[FIRST], state[USED], #state
    while first <= count and state[first] < oldest do
        used = used - state[first + 1]
        first = first + 2
    end
    if first > COMPACT then
        local kept = {now, used, SLOTS}
        for i = first, count do kept[#kept + 1] = state[i] end
        return kept
    end
    state[USED], state[FIRST] = used, first
    return state
end

local function wait_for(state, excess, window, grain)
    for i = state[FIRST], #state, 2 do
        excess = excess - state[i + 1]
        if excess <= 0 then
            return math.max(1, (state[i] + 1) * grain + window - now)
        end
    end
    return window
end

local said, key, arg = {}, 0, 3
for _ = 1, asked[2] do
    local cost, count = asked[arg], asked[arg + 1]
    arg = arg + 2
    local states, verdicts, all = {}, {}, true
    for p = 1, count do
        local limit, window, grain = asked[arg], asked[arg + 1], asked[arg + 2]
        arg = arg + 3
        local state = settled(KEYS[key + p], window, grain)
        local used, count = state[USED], #state
        local admitted = used + cost <= limit
        local wait, remaining, resets = 0, limit - used, 0
        if state[FIRST] < count then
            resets = (state[count - 1] + 1) * grain + window - now
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
            local slot, count = math.floor(now / grain), #state
            if state[FIRST] < count and state[count - 1] >= slot then
                state[count] = state[count] + cost
            else
                state[count + 1] = slot
                state[count + 2] = cost
            end
            state[USED] = state[USED] + cost
            local keep = math.ceil((window + 2 * grain) / 1000) + 1000
            redis.call('SET', KEYS[key + p], cmsgpack.pack(state), 'PX', keep)
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
return cmsgpack.pack(said)
"""
