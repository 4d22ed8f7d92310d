-- One Open Inference Protocol request, read from the file BENCH_BODY, sent over and over.
local file = assert(io.open(os.getenv("BENCH_BODY"), "rb"))
wrk.body = file:read("*a")
file:close()
wrk.method = "POST"
local length = os.getenv("BENCH_JSON_LENGTH")
wrk.headers["Content-Type"] = length and "application/octet-stream" or "application/json"
if length then wrk.headers["Inference-Header-Content-Length"] = length end

function done(summary, latency)
   io.write(string.format(
      'RESULT {"requests": %d, "seconds": %.6f, "errors": %d, "p50_ms": %.3f, "p99_ms": %.3f}\n',
      summary.requests, summary.duration / 1e6,
      summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout,
      latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
