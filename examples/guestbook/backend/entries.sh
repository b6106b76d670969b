#!/bin/sh
# Keeps the entries: POST adds one (URL-encoded, as it came from the form), and either way the last hundred are told.
file=${DATA:-/data}/entries
token=$(sha256sum < /etc/guestbook-secret/token | cut -d ' ' -f 1)

if [ "$HTTP_X_TOKEN" != "$token" ]; then
  printf 'Status: 403 Forbidden\r\nContent-Type: text/plain\r\n\r\nwrong token\n'
  exit 0
fi

if [ "$REQUEST_METHOD" = POST ]; then
  text=$(head -c "${CONTENT_LENGTH:-0}" | head -c 600 | tr '+' ' ')
  line=$(httpd -d "$text" | tr -d '\r\n' | head -c 200)
  [ -n "$line" ] && printf '%s\n' "$line" >> "$file"
fi

printf 'Content-Type: text/plain; charset=utf-8\r\n\r\n'
[ -f "$file" ] && tail -n 100 "$file"
exit 0
