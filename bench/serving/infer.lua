-- Open Inference Protocol requests, read from the file BENCH_BODY, sent over and over; where that names
-- several files, with spaces between them, each request is one of those by chance.
local bodies = {}
for path in os.getenv("BENCH_BODY"):gmatch("%S+") do
   local file = assert(io.open(path, "rb"))
   bodies[#bodies + 1] = file:read("*a")
   file:close()
end
wrk.body = bodies[1]
wrk.method = "POST"
local length = os.getenv("BENCH_JSON_LENGTH")
wrk.headers["Content-Type"] = length and "application/octet-stream" or "application/json"
if length then wrk.headers["Inference-Header-Content-Length"] = length end

if #bodies > 1 then
   local requests = {}
   function init(args)
      math.randomseed(1)
      for index, body in ipairs(bodies) do
         requests[index] = wrk.format(nil, nil, nil, body)
      end
   end

   function request()
      return requests[math.random(#requests)]
   end
end

function done(summary, latency)
   io.write(string.format(
      'RESULT {"requests": %d, "seconds": %.6f, "errors": %d, "p50_ms": %.3f, "p99_ms": %.3f}\n',
      summary.requests, summary.duration / 1e6,
      summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout,
      latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
