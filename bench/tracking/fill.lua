-- Fills an experiment through the protocol: creates runs and logs one batch to each, or logs one
-- more batch to each run that an earlier fill created.
--   BENCH_EXPERIMENT  its id
--   BENCH_COUNT       how many runs
--   BENCH_POINTS      points of each run's batch, spread over five metrics
--   BENCH_START       how many points each run has; 0 creates the runs
--   BENCH_IDS         a file that takes the runs' ids, or holds them
local experiment = os.getenv("BENCH_EXPERIMENT")
local count = tonumber(os.getenv("BENCH_COUNT"))
local points = tonumber(os.getenv("BENCH_POINTS"))
local start = tonumber(os.getenv("BENCH_START"))
local file = os.getenv("BENCH_IDS")
local headers = {["Content-Type"] = "application/json"}

local ids, created, sent, failed = {}, 0, 0, 0
local all = nil
logged = 0 -- global: read by `done`

function setup(thread) all = thread end

function init()
   if start > 0 then
      for line in io.lines(file) do ids[#ids + 1] = line end
      created = #ids
   end
end

-- The last point of each metric decides what searches find; it does not depend on how many there are.
local function batch(number)
   local run, list = ids[number], {}
   local steps = points / 5
   for index = 1, steps do
      local step = start / 5 + index
      for key = 0, 4 do
         local value = ((number * 7919 + key * 104729) % 10007) / 10007
         if index < steps then value = value + 1 / step end
         list[#list + 1] = string.format(
            '{"key":"m%d","value":%.6f,"timestamp":%d,"step":%d}', key, value,
            1700000000000 + step * 1000, step)
      end
   end
   local body = '{"run_id":"' .. run .. '","metrics":[' .. table.concat(list, ",") .. "]"
   if start == 0 then
      local params, tags = {}, {}
      for key = 0, 4 do
         params[#params + 1] = string.format('{"key":"p%d","value":"%d"}', key, (number + key) % 17)
      end
      for key = 0, 2 do
         tags[#tags + 1] = string.format('{"key":"t%d","value":"v%d"}', key, number % 13)
      end
      body = body .. ',"params":[' .. table.concat(params, ",") .. '],"tags":['
         .. table.concat(tags, ",") .. "]"
   end
   return body .. "}"
end

local calls = 0

function request()
   calls = calls + 1
   -- The first request is made for a look only and never sent.
   if calls == 1 then return wrk.format("GET", "/version") end
   if sent < #ids then
      sent = sent + 1
      return wrk.format("POST", "/api/2.0/mlflow/runs/log-batch", headers, batch(sent))
   end
   if created < count then
      created = created + 1
      return wrk.format("POST", "/api/2.0/mlflow/runs/create", headers, string.format(
         '{"experiment_id":"%s","start_time":%d,"user_id":"bench"}',
         experiment, 1700000000000 + created * 1000))
   end
   return wrk.format("GET", "/version")
end

function response(status, _, body)
   if status ~= 200 then failed = failed + 1 end
   if body == "{}" then
      logged = logged + 1
   elseif start == 0 then
      local id = string.match(body, '"run_id":%s*"([^"]+)"')
      if id then ids[#ids + 1] = id end
   end
   if logged == count or failed > 100 then
      if start == 0 then
         local output = io.open(file, "w")
         output:write(table.concat(ids, "\n"), "\n")
         output:close()
      end
      wrk.thread:stop()
      io.open(file .. ".done", "w"):close() -- wrk itself sleeps on until it is interrupted
   end
end

function done(summary)
   io.write(string.format(
      'RESULT {"requests": %d, "seconds": %.6f, "errors": %d, "logged": %d}\n',
      summary.requests, summary.duration / 1e6, summary.errors.status + summary.errors.connect
      + summary.errors.read + summary.errors.write + summary.errors.timeout,
      tonumber(all:get("logged") or 0)))
end
