#!/bin/sh
# Fills in the templates beside it and becomes nginx. Needs nothing but a POSIX shell, sed, grep and nginx.
#
#   NGINX_LISTEN            address and port that nginx listens on
#   NGINX_API, NGINX_UI     host:port of the two services behind it
#   NGINX_PASSWORDS         file of `user:bcrypt-hash` lines (htpasswd)
#   NGINX_RUN_FOLDER        writable folder for the filled-in configuration, the pid and temporary files
#   ASSISTANT_PROXY_SECRET  proves to api and ui that the user's name comes from here
set -eu

refuse() {
  printf '[nginx] %s\n[nginx] %s\n' "$1" "$2" >&2
  exit 1
}

: "${NGINX_LISTEN:?}" "${NGINX_API:?}" "${NGINX_UI:?}" "${NGINX_PASSWORDS:?}" "${NGINX_RUN_FOLDER:?}"
secret="${ASSISTANT_PROXY_SECRET:-}"
templates="$(dirname "$0")"
run="$NGINX_RUN_FOLDER"

case "$secret" in
  *[!A-Za-z0-9._~+/=-]*)
    refuse "ASSISTANT_PROXY_SECRET に使えるのは英数字と . _ ~ + / = - だけです。" \
      "ASSISTANT_PROXY_SECRET may only hold letters, digits and . _ ~ + / = -" ;;
esac
[ "${#secret}" -ge 16 ] || refuse \
  "ASSISTANT_PROXY_SECRET は 16 文字以上にしてください。例: openssl rand -hex 32" \
  "ASSISTANT_PROXY_SECRET must have at least 16 characters, e.g. from: openssl rand -hex 32"
grep -qs '^[^:]\{1,\}:\$' "$NGINX_PASSWORDS" || refuse \
  "パスワードファイル $NGINX_PASSWORDS がないか、空か、読めません。作り方: htpasswd -B -C 5 -c var/htpasswd 利用者名、そのあと chmod 644" \
  "The password file $NGINX_PASSWORDS is missing, empty or not readable. Make one: htpasswd -B -C 5 -c var/htpasswd USER, then chmod 644"

# Without a name server (addresses are numbers then) the address of Docker's own stands in; it is never asked.
resolver="$(sed -n 's/^nameserver[[:space:]]*\([0-9.]*\)$/\1/p' /etc/resolv.conf | head -n 1)"

umask 077
mkdir -p "$run"
cp "$templates"/*.conf "$run/"
for template in "$templates"/*.template; do
  # The sed program comes from standard input: the secret never shows in a list of processes.
  sed -f - "$template" > "$run/$(basename "$template" .template)" << PROGRAM
s|@RUN@|$run|g
s|@LISTEN@|$NGINX_LISTEN|g
s|@API@|$NGINX_API|g
s|@UI@|$NGINX_UI|g
s|@PASSWORDS@|$NGINX_PASSWORDS|g
s|@RESOLVER@|${resolver:-127.0.0.11}|g
s|@PROXY_SECRET@|$secret|g
PROGRAM
done

unset ASSISTANT_PROXY_SECRET
exec nginx -p "$run/" -c "$run/nginx.conf" -e stderr -g 'daemon off;'
