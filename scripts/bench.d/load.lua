-- Sends GET requests over the lines of a file, round and round, and prints a summary as JSON.
local requests, at = {}, 0

function init(args)
  local headers = { ["Accept"] = "application/json" }
  if os.getenv("BENCH_KEY") ~= "" then
    headers["Authorization"] = "Bearer " .. os.getenv("BENCH_KEY")
  end
  for path in io.lines(os.getenv("BENCH_PATHS")) do
    requests[#requests + 1] = wrk.format("GET", path, headers)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format('RESULT {"requests": %d, "seconds": %f, "failed": %d, "p50": %f, "p95": %f}\n', summary.requests,
    summary.duration / 1e6, errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3))
end
