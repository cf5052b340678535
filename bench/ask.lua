-- Asks for the messages of one conversation after another: their uids come by CONVERSATIONS, as bench/fill_mirror.sql makes them.
local uids, token = {}, os.getenv("API_TOKEN")
local listing = io.popen("bench/uids.py conversation $CONVERSATIONS 20000")
for uid in listing:lines() do uids[#uids + 1] = uid end
listing:close()

local nth = 0
function init() nth = math.random(#uids) end
function request()
    nth = nth % #uids + 1
    return wrk.format("GET", "/api/v1/conversations/" .. uids[nth] .. "/messages", { Authorization = "Bearer " .. token })
end
