#!/bin/sh
# Fills in the templates beside it and becomes nginx. Needs nothing but a POSIX shell, sed, grep and nginx.
#
#   start.sh           what the container or the unit runs
#   start.sh reload    after a new certificate or another setting: what is open stays open. A configuration that nginx
#                      does not accept is not taken over
#
#   NGINX_LISTEN            address and port that nginx listens on
#   NGINX_HEALTH_LISTEN     the same for the health check of this machine; only /healthz, never encrypted
#   NGINX_API, NGINX_UI     host:port of the two services behind it
#   NGINX_RUN_FOLDER        writable folder for the filled-in configuration, the pid and temporary files
#   NGINX_PASSWORDS         file of `user:bcrypt-hash` lines (htpasswd); for NGINX_SIGN_IN=password
#   NGINX_SIGN_IN           password | oidc (the API signs people in) | oauth2-proxy (at NGINX_OAUTH2_PROXY=host:port)
#   NGINX_TLS               here (with the certificate) | elsewhere (something in front encrypts)
#   NGINX_TLS_FOLDER        certificate.pem (the whole chain) and key.pem; without them only this machine is served
#   NGINX_PUBLISHED         the address that others see, as far as it is known here
#   NGINX_LOG               where the access log goes (/dev/stdout)
#   NGINX_ALLOW             networks that may come in, as "10.0.0.0/8 192.168.1.7"; empty: all
#   NGINX_TRUSTED_PROXIES   addresses of proxies in front whose X-Forwarded-For is believed; empty: none
#   NGINX_ASK_RATE          single questions that one caller may send before the API is asked at all (60r/m), and
#   NGINX_ASK_BURST         how many at once (20); NGINX_ASK_STREAMS: how many open (200)
#   NGINX_RESOLVER          name server, address or address:port; empty: the first of /etc/resolv.conf
#   NGINX_READ_SECONDS, NGINX_CLIENT_SECONDS   longest silence of the services (300) and of a sender (15)
#   ASSISTANT_PROXY_SECRET  proves to api and ui that the user's name comes from here
set -eu

refuse() {
  printf '[nginx] %s\n[nginx] %s\n' "$1" "$2" >&2
  exit 1
}

note() { printf '[nginx] %s\n[nginx] %s\n' "$1" "$2" >&2; }

: "${NGINX_LISTEN:?}" "${NGINX_HEALTH_LISTEN:?}" "${NGINX_API:?}" "${NGINX_UI:?}" "${NGINX_RUN_FOLDER:?}"
secret="${ASSISTANT_PROXY_SECRET:-}"
sign_in="${NGINX_SIGN_IN:-password}"
passwords="${NGINX_PASSWORDS:-}"
tls_folder="${NGINX_TLS_FOLDER:-}"
published="${NGINX_PUBLISHED:-127.0.0.1}"
templates="$(dirname "$0")"
run="$NGINX_RUN_FOLDER"
next="$run/next"

check_secret() {
  case "$secret" in
    *[!A-Za-z0-9._~+/=-]*)
      refuse "ASSISTANT_PROXY_SECRET に使えるのは英数字と . _ ~ + / = - だけです。" \
        "ASSISTANT_PROXY_SECRET may only hold letters, digits and . _ ~ + / = -" ;;
  esac
  [ "${#secret}" -ge 16 ] || refuse \
    "ASSISTANT_PROXY_SECRET は 16 文字以上にしてください。例: openssl rand -hex 32" \
    "ASSISTANT_PROXY_SECRET must have at least 16 characters, e.g. from: openssl rand -hex 32"
}

check_words() { # what goes into the configuration unquoted
  case "$2" in
    *[!A-Za-z0-9.:/_\ -]*) refuse "$1 に使えない文字があります: $2" "$1 holds a character that it may not: $2" ;;
  esac
}

choose_sign_in() {
  checker="$NGINX_API" check_path=/sign-in/check sign_in_path=/sign-in user_header=x_auth_request_user
  sign_in_page="'/sign-in?next='" sign_in_files=sign_in_oidc
  case "$sign_in" in
    password)
      sign_in_page="''" sign_in_files=sign_in_password
      grep -qs '^[^:]\{1,\}:\$' "$passwords" || refuse \
        "パスワードファイル $passwords がないか、空か、読めません。作り方: htpasswd -B -C 5 -c var/htpasswd 利用者名、そのあと chmod 644" \
        "The password file $passwords is missing, empty or not readable. Make one: htpasswd -B -C 5 -c var/htpasswd USER, then chmod 644" ;;
    oidc) ;;
    oauth2-proxy)
      checker="${NGINX_OAUTH2_PROXY:?}" check_path=/oauth2/auth sign_in_path=/oauth2/
      user_header=x_auth_request_email sign_in_page="'/oauth2/start?rd='" ;;
    *) refuse "NGINX_SIGN_IN は password、oidc、oauth2-proxy のどれかです: $sign_in" \
      "NGINX_SIGN_IN is password, oidc or oauth2-proxy: $sign_in" ;;
  esac
}

choose_listen() { # what listens, encrypted or not, in the words of this nginx (`http2 on` exists since 1.25.1)
  certificate="$tls_folder/certificate.pem" key="$tls_folder/key.pem"
  if [ -n "$tls_folder" ] && [ -e "$certificate" ]; then
    [ -r "$certificate" ] && [ -r "$key" ] || refuse \
      "$key を読めません。コンテナでは: chown 101 key.pem(権限 600 のまま)" \
      "$key cannot be read. For the container: chown 101 key.pem (its mode stays 600)"
    minor="$(nginx -v 2>&1 | sed -n 's|.*nginx/1\.\([0-9]*\)\..*|\1|p')"
    if [ "${minor:-99}" -ge 26 ]; then printf 'listen %s ssl;\nhttp2 on;\n' "$NGINX_LISTEN"
    else printf 'listen %s ssl http2;\n' "$NGINX_LISTEN"; fi
    printf 'ssl_certificate %s;\nssl_certificate_key %s;\n' "$certificate" "$key"
    printf 'ssl_protocols TLSv1.2 TLSv1.3;\nssl_session_cache shared:sessions:5m;\nssl_session_tickets off;\n'
    printf 'ssl_ciphers HIGH:!aNULL:!MD5:!SHA1:!kRSA;\n'
    return
  fi
  case "$published:${NGINX_TLS:-here}" in
    127.*:* | localhost:* | *:elsewhere) ;;
    *) refuse \
      "証明書 $certificate がないまま $published で公開すると、パスワードが暗号化されずに流れます。assistant certificate で作るか、手前で暗号化しているなら NGINX_TLS=elsewhere(compose では PUBLISH_TLS)にしてください。" \
      "Without a certificate ($certificate) passwords would travel unencrypted from $published. Make one with assistant certificate, or say NGINX_TLS=elsewhere (PUBLISH_TLS in compose) if something in front encrypts." ;;
  esac
  note "暗号化なしで待ち受けます($published)。" "Listening without encryption ($published)."
  printf 'listen %s;\n' "$NGINX_LISTEN"
}

allowed_addresses() {
  if [ -n "${NGINX_ALLOW:-}" ]; then
    for network in $NGINX_ALLOW; do printf 'allow %s;\n' "$network"; done
    printf 'deny all;\n'
  fi
}

trusted_proxies() {
  if [ -n "${NGINX_TRUSTED_PROXIES:-}" ]; then
    for address in $NGINX_TRUSTED_PROXIES; do printf 'set_real_ip_from %s;\n' "$address"; done
    printf 'real_ip_header X-Forwarded-For;\nreal_ip_recursive on;\n'
  fi
}

fill_in() { # the whole configuration into the folder $next
  # Without a name server (addresses are numbers then) the address of Docker's own stands in; it is never asked.
  resolver="${NGINX_RESOLVER:-}"
  [ -n "$resolver" ] || resolver="$(sed -n 's/^nameserver[[:space:]]*\([0-9.]*\)$/\1/p' /etc/resolv.conf | head -n 1)"
  rm -rf "$next"
  mkdir -p "$next/sign_in"
  choose_sign_in
  choose_listen > "$next/listen.conf"
  allowed_addresses > "$next/allowed_addresses.conf"
  trusted_proxies > "$next/trusted_proxies.conf"
  cp "$templates"/*.conf "$next/"
  cp "$templates/$sign_in_files"/*.conf "$next/sign_in/"
  for template in "$templates"/*.template "$templates/$sign_in_files"/*.template; do
    target="$next/$(basename "$template" .template)"
    case "$template" in */"$sign_in_files"/*) target="$next/sign_in/$(basename "$template" .template)" ;; esac
    # The sed program comes from standard input: the secret never shows in a list of processes.
    sed -f - "$template" > "$target" << PROGRAM
s|@RUN@|$run|g
s|@HEALTH_LISTEN@|$NGINX_HEALTH_LISTEN|g
s|@API@|$NGINX_API|g
s|@UI@|$NGINX_UI|g
s|@PASSWORDS@|$passwords|g
s|@RESOLVER@|${resolver:-127.0.0.11}|g
s|@LOG@|${NGINX_LOG:-/dev/stdout}|g
s|@CHECKER@|$checker|g
s|@CHECK_PATH@|$check_path|g
s|@SIGN_IN_PATH@|$sign_in_path|g
s|@SIGN_IN_PAGE@|$sign_in_page|g
s|@USER_HEADER@|$user_header|g
s|@ASK_RATE@|${NGINX_ASK_RATE:-60r/m}|g
s|@ASK_BURST@|${NGINX_ASK_BURST:-20}|g
s|@ASK_STREAMS@|${NGINX_ASK_STREAMS:-200}|g
s|@READ_SECONDS@|${NGINX_READ_SECONDS:-300}|g
s|@CLIENT_SECONDS@|${NGINX_CLIENT_SECONDS:-15}|g
s|@PROXY_SECRET@|$secret|g
PROGRAM
  done
}

take_over() { # from $next to where nginx reads; what it reads never stands there half
  for folder in "$run/conf" "$run/previous"; do mkdir -p "$folder"; done
  rm -rf "$run/previous"
  mv "$run/conf" "$run/previous"
  mv "$next" "$run/conf"
}

check_secret
check_words NGINX_RESOLVER "${NGINX_RESOLVER:-}"
check_words NGINX_ALLOW "${NGINX_ALLOW:-}"
check_words NGINX_TRUSTED_PROXIES "${NGINX_TRUSTED_PROXIES:-}"
check_words NGINX_ASK_RATE "${NGINX_ASK_RATE:-}${NGINX_ASK_BURST:-}"
umask 077
mkdir -p "$run"
fill_in
unset ASSISTANT_PROXY_SECRET

case "${1:-start}" in
  start)
    take_over
    exec nginx -p "$run/" -c "$run/conf/nginx.conf" -e stderr -g 'daemon off;' ;;
  reload)
    # Tried without the log: the standard output of this command need not be one that nginx may open.
    sed 's|^  access_log .*|  access_log off;|' "$next/nginx.conf" > "$next/trial.conf"
    nginx -t -q -p "$run/" -c "$next/trial.conf" -e stderr || refuse \
      "新しい設定を nginx が受け付けません。今までの設定のまま動いています。" \
      "nginx does not accept the new configuration. It goes on with the one it has."
    rm "$next/trial.conf"
    take_over
    kill -HUP "$(cat "$run/nginx.pid")" ;;
  *) refuse "使い方: start.sh [reload]" "Usage: start.sh [reload]" ;;
esac
