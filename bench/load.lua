-- Has wrk send the requests that bench/make_requests.py made, each once, and report on one line:
--   wrk -t2 -c64 -d13s -s bench/load.lua URL -- FOLDER/NAME 10
-- sends for 10 seconds, and has 3 more for the answers that are still due. So every request that was sent is answered
-- and counted, and the database must hold exactly as many events.

local ffi = require("ffi")
ffi.cdef([[
    typedef struct { long seconds; long nanoseconds; } moment;
    int clock_gettime(int clock, moment *now);
]])

local MONOTONIC = 1
local moment = ffi.new("moment")
local function now()
    ffi.C.clock_gettime(MONOTONIC, moment)
    return tonumber(moment.seconds) + tonumber(moment.nanoseconds) * 1e-9
end

local threads = {}

function setup(thread)
    table.insert(threads, thread)
    thread:set("number", #threads)
end

function init(arguments)
    local path = arguments[1] .. "." .. number
    file = assert(io.open(path, "rb"))
    -- All have the length of the first, which ends where the second begins.
    local start = assert(file:read(8192), path .. " is empty")
    size = assert(start:find("POST ", 6, true), path .. " holds no second request") - 1
    file:seek("set", 0)
    file:setvbuf("full", 1048576)
    window = tonumber(arguments[2])
    ran_out = false
end

function request()
    local at = now()
    stop_at = stop_at or at + window
    if at < stop_at then
        local next_one = file:read(size)
        if next_one then return next_one end
        ran_out = true
    end
    -- Nothing is sent, so nothing is answered, and this connection has come to its end.
    return ""
end

-- wrk counts as errors of status what is above 399; nobody here answers anything else but 200.
function done(summary, latency, requests)
    local errors = summary.errors
    local is_short = false
    for _, thread in ipairs(threads) do is_short = is_short or thread:get("ran_out") end
    io.write(string.format(
        "RESULT %d %d %d %.3f %.3f %s\n",
        summary.requests - errors.status,
        errors.status,
        errors.connect + errors.read + errors.write + errors.timeout,
        latency:percentile(50) / 1000,
        latency:percentile(99) / 1000,
        is_short and "ran_out" or "complete"
    ))
end
