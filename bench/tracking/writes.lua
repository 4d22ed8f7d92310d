-- Load for the tracking protocol, one kind of write, told by the environment:
--   BENCH_KIND   metric | batch | create
--   BENCH_RUNS   run ids, one for each connection in turn, separated by commas
--   BENCH_START  the first step
-- Every request is a new point (or batch, or run): nothing is a repeat that a server could drop.
local kind = os.getenv("BENCH_KIND")
local runs = {}
for run in string.gmatch(os.getenv("BENCH_RUNS") or "", "[^,]+") do runs[#runs + 1] = run end

local threads = 0
function setup(thread)
   thread:set("number", threads)
   threads = threads + 1
end

local step = 0
local points = 1000

function init() step = (tonumber(os.getenv("BENCH_START")) or 0) + number * 100000000 end

local function metric()
   step = step + 1
   local run = runs[step % #runs + 1]
   return "/api/2.0/mlflow/runs/log-metric", string.format(
      '{"run_id":"%s","run_uuid":"%s","key":"loss","value":%.6f,"timestamp":%d,"step":%d}',
      run, run, 1 / (step % 1000 + 1), 1700000000000 + step, step)
end

local function batch()
   local run = runs[math.floor(step / points) % #runs + 1]
   local list = {}
   for index = 1, points do
      step = step + 1
      list[index] = string.format(
         '{"key":"m%d","value":%.6f,"timestamp":%d,"step":%d}',
         index % 10, 1 / (index + 1), 1700000000000 + step, step)
   end
   return "/api/2.0/mlflow/runs/log-batch", '{"run_id":"' .. run .. '","metrics":[' .. table.concat(list, ",") .. "]}"
end

local function create()
   step = step + 1
   return "/api/2.0/mlflow/runs/create", string.format(
      '{"experiment_id":"0","start_time":%d,"tags":[{"key":"mlflow.user","value":"bench"},{"key":"mlflow.source.name","value":"train.py"}]}',
      1700000000000 + step)
end

local make = ({metric = metric, batch = batch, create = create})[kind]
local headers = {["Content-Type"] = "application/json"}

function request()
   local path, body = make()
   return wrk.format("POST", path, headers, body)
end

function done(summary, latency)
   io.write(string.format(
      'RESULT {"requests": %d, "seconds": %.6f, "errors": %d, "p50_ms": %.3f, "p99_ms": %.3f}\n',
      summary.requests, summary.duration / 1e6,
      summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout,
      latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
