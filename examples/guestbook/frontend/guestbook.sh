#!/bin/sh
# The page: shows what others have written, and writes what is asked (`?entry=Ahoy`).
backend="http://${BACKEND_SERVICE_HOST:-backend}:${BACKEND_SERVICE_PORT:-8080}/cgi-bin/entries"
token=$(printf %s "$GUESTBOOK_TOKEN" | sha256sum | cut -d ' ' -f 1)

query() { # name: the value of this parameter in the query
  printf %s "$QUERY_STRING" | tr '&' '\n' | sed -n "s/^$1=//p" | head -n 1
}

ask() { # [text]: the backend's entries, once this text is among them
  if [ -n "$1" ]; then
    timeout 3 wget -q -O - --header "X-Token: $token" --post-data "$1" "$backend"
  else
    timeout 3 wget -q -O - --header "X-Token: $token" "$backend"
  fi
}

escape() { # what others have written is text, never markup
  sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g; s/"/\&quot;/g'
}

entry=$(query entry)
if entries=$(ask "$entry" 2>&1); then
  status="200 OK"
else
  status="503 Service Unavailable"
  entries="the backend does not answer: $entries"
fi

printf 'Status: %s\r\nContent-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\n\r\n' "$status"
cat <<HTML
<!doctype html>
<title>Guestbook $VERSION</title>
<style>$(cat /etc/guestbook/style.css 2>/dev/null)</style>
<h1>$(printf '%s\n' "${GUESTBOOK_TITLE:-Guestbook}" | escape)</h1>
<form><input name="entry" maxlength="200" autofocus> <button>Sign</button></form>
HTML
[ "$VERSION" != v1 ] && echo "<p>Entries so far: $(printf '%s' "$entries" | grep -c '')</p>"
echo "<ul>"
printf '%s\n' "$entries" | escape | sed -n 's/..*/<li>&<\/li>/p'
echo "</ul>"
echo "<footer>guestbook-frontend $VERSION on $(hostname)</footer>"
