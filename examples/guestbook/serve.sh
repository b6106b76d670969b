#!/bin/sh
# Serves one tier. As process 1 the server would not hear SIGTERM: this shell does, stops listening,
# and leaves the requests that are being answered a second to end.
stop() {
  echo "$TIER $VERSION: stopping"
  kill "$server"
  sleep 1
  exit 0
}
trap stop TERM INT

httpd -f -v -p "$PORT" -h /www &
server=$!
echo "$TIER $VERSION: listening on port $PORT"
wait "$server"
