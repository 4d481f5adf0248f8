#!/usr/bin/env bash
# Starts the Ollama server, makes the models ready, and stays until the server ends.
#
#   server starts -> answers -> models missing? pull -> company-assistant from the Modelfile -> both loaded -> ready
#                                      |                     |                                   |
#                                      +-- failed: say why, wait (twice as long each time), begin again
#
# A machine without a network is ready as long as the models are in the volume. While something is missing the server
# keeps running and the container is "unhealthy" with a sentence that says why; it never restarts in a loop.
#
#   ollama-entrypoint.sh          what the container runs
#   ollama-entrypoint.sh health   what the health check runs: exit 0 when both models can answer
#
# Uses only what the ollama image has: bash, coreutils, grep, tr and the ollama command line (there is no curl).
# The command line deletes characters that it does not take for printable, e.g. the full-width space U+3000, from a
# Modelfile; such a file is refused here instead of being changed silently. `assistant release` has no such limit.
set -uo pipefail

readonly modelfile="${ENTRYPOINT_MODELFILE:-/modelfiles/company-assistant.Modelfile}"
readonly chat_model="${ASSISTANT_CHAT_MODEL:-company-assistant}"
readonly embed_model="${ASSISTANT_EMBED_MODEL:-nomic-embed-text}"
readonly keep_folder="${ENTRYPOINT_KEEP_FOLDER:-/ollama}" # survives the container: remembers what was created
readonly run_folder="${ENTRYPOINT_RUN_FOLDER:-/tmp}"      # dies with the container: says whether it is ready
readonly first_wait_seconds="${ENTRYPOINT_FIRST_WAIT_SECONDS:-5}"
readonly longest_wait_seconds="${ENTRYPOINT_LONGEST_WAIT_SECONDS:-300}"
readonly server_wait_seconds=60

readonly created_note="$keep_folder/$chat_model.created"
readonly ready_marker="$run_folder/ollama-ready"
readonly state_note="$run_folder/ollama-state"

say() { # one fact in Japanese and in English
  printf '[ollama] %s\n[ollama] %s\n' "$1" "$2"
}

explain() { # a fact that keeps the container from being ready: logged, and shown by the health check
  say "$1" "$2"
  printf '%s\n%s\n' "$1" "$2" > "$state_note"
}

reason_of() { # the last line of a command's output without the escape codes of its progress display
  local plain
  plain="$(printf '%s' "$1" | tr '\033\r' '\n' | sed -E 's/^\[[0-9;?]*[A-Za-z]//' | grep -v '^[[:space:]]*$' | tail -n 1)"
  printf '%s' "${plain#Error: }"
}

is_present() { ollama show "$1" > /dev/null 2>&1 < /dev/null; }

health() {
  if [[ ! -f "$ready_marker" ]]; then
    cat "$state_note" 2> /dev/null || say "準備中です。" "Starting."
    return 1
  fi
  local listed
  if ! listed="$(ollama list 2>&1 < /dev/null)"; then
    say "Ollama が応答しません: $(reason_of "$listed")" "Ollama does not answer: $(reason_of "$listed")"
    return 1
  fi
  local name
  for name in "$chat_model" "$embed_model"; do
    if ! grep -qE "^${name//./\\.}(:latest)?[[:space:]]" <<< "$listed"; then
      say "モデル $name がなくなりました。コンテナを再起動してください。" "The model $name is gone. Restart the container."
      return 1
    fi
  done
}

wait_for_server() {
  local until_seconds=$((SECONDS + server_wait_seconds))
  until ollama list > /dev/null 2>&1 < /dev/null; do
    if ((SECONDS >= until_seconds)); then
      explain "Ollama サーバーが ${server_wait_seconds} 秒たっても応答しません。" \
        "The Ollama server did not answer within ${server_wait_seconds} seconds."
      return 1
    fi
    sleep 0.5
  done
}

report_progress() { # from a pull's display, one line for every tenth of a layer, or every minute on a slow line
  local name=$1 line digest percent
  local -A said=() said_at=()
  tr '\033\r' '\n' | while IFS= read -r line; do
    if [[ "$line" =~ pulling\ ([0-9a-f]{12}):\ +([0-9]+)%.*▏\ *(.*[^\ ]) ]]; then
      digest="${BASH_REMATCH[1]}" percent="${BASH_REMATCH[2]}"
      if ((percent >= ${said[$digest]:--10} + 10 || (percent > ${said[$digest]:-0} && SECONDS >= ${said_at[$digest]:-0} + 60))); then
        printf '[ollama] %s %s %3d%% %s\n' "$name" "$digest" "$percent" "${BASH_REMATCH[3]}" >&2
        said[$digest]=$((percent == 100 ? 1000 : percent)) said_at[$digest]=$SECONDS
      fi
    elif [[ "$line" == *Error:* ]]; then
      printf '%s\n' "Error: ${line#*Error: }"
    fi
  done
}

pull_if_missing() {
  local name=$1 failure
  if is_present "$name"; then return 0; fi
  explain "モデル $name をダウンロードしています。" "Downloading the model $name."
  if failure="$(ollama pull "$name" 2>&1 < /dev/null | report_progress "$name")"; then return 0; fi
  explain "モデル $name がこのサーバーになく、ダウンロードもできません($(reason_of "$failure"))。ネットワークへの接続を確認するか、別の機械で取得したモデルのボリュームを複製してください。" \
    "The model $name is not on this server and cannot be downloaded ($(reason_of "$failure")). Check the network, or copy the model volume from a machine that has it."
  return 1
}

base_model() { # the name after FROM; empty when FROM is a file that is there
  local line name
  while IFS= read -r line || [[ -n "$line" ]]; do
    line="${line%$'\r'}"
    if [[ "$line" =~ ^[[:space:]]*[Ff][Rr][Oo][Mm][[:space:]]+([^[:space:]]+) ]]; then
      name="${BASH_REMATCH[1]}"
      [[ -e "$name" || -e "${modelfile%/*}/$name" ]] || printf '%s' "$name"
      return 0
    fi
  done < "$modelfile"
  return 1
}

refuse_lost_characters() { # spaces and marks that `ollama create` deletes: U+3000, U+00A0, U+200B.., private use (gaiji) ...
  local lost=$'\xE3\x80\x80|\xC2[\xA0\xAD]|\xE1\x9A\x80|\xE2\x80[\x80-\x8F\xA8-\xAF]|\xE2\x81[\x9F-\xAF]|\xEE[\x80-\xBF]{2}|\xEF[\x80-\xA3][\x80-\xBF]|.\xEF\xBB\xBF'
  local found
  if found="$(LC_ALL=C grep -anE -m 1 "$lost" "$modelfile")"; then
    explain "${modelfile##*/} の ${found%%:*} 行目に、ollama create が黙って消す文字(全角スペース U+3000、改行しない空白、ゼロ幅文字、外字など)があります。半角スペースに直してください。" \
      "Line ${found%%:*} of ${modelfile##*/} holds a character that ollama create deletes silently (full-width space U+3000, no-break space, zero-width or private-use character). Replace it with an ordinary space."
    return 1
  fi
}

listed_id() { # the id that `ollama list` shows for a model; empty for none
  local name id rest
  while read -r name id rest; do
    if [[ "$name" == "$1" || "$name" == "$1:latest" ]]; then
      printf '%s' "$id"
      return 0
    fi
  done < <(ollama list 2> /dev/null < /dev/null)
}

fingerprint() { # what company-assistant is made of: the Modelfile's content and the very base model
  local base=$1 hash
  hash="$(sha256sum < "$modelfile")" || return 1
  printf '%s %s' "${hash%% *}" "${base:+$(listed_id "$base")}"
}

create_if_changed() {
  local base=$1 wanted said
  wanted="$(fingerprint "$base")" || return 1
  if is_present "$chat_model" && [[ -f "$created_note" && "$(< "$created_note")" == "$wanted" ]]; then return 0; fi
  refuse_lost_characters || return 1
  if ! said="$(ollama create "$chat_model" -f "$modelfile" 2>&1 < /dev/null)"; then
    explain "$chat_model を ${modelfile##*/} から作れません: $(reason_of "$said")" \
      "$chat_model cannot be created from ${modelfile##*/}: $(reason_of "$said")"
    return 1
  fi
  printf '%s' "$wanted" > "$created_note"
  say "$chat_model を ${modelfile##*/} から作りました。" "Created $chat_model from ${modelfile##*/}."
}

preload() {
  local name=$1 text=$2 said
  if said="$(ollama run "$name" "$text" 2>&1 > /dev/null < /dev/null)"; then return 0; fi
  explain "モデル $name を読み込めません: $(reason_of "$said")" "The model $name cannot be loaded: $(reason_of "$said")"
  return 1
}

make_ready() {
  wait_for_server || return 1
  if [[ ! -r "$modelfile" ]]; then
    explain "$modelfile が読めません。modelfiles フォルダのマウントを確認してください。" \
      "$modelfile cannot be read. Check that the modelfiles folder is mounted."
    return 1
  fi
  local base
  if ! base="$(base_model)"; then
    explain "${modelfile##*/} に FROM の行がありません。" "${modelfile##*/} has no FROM line."
    return 1
  fi
  if [[ -n "$base" ]]; then pull_if_missing "$base" || return 1; fi
  pull_if_missing "$embed_model" || return 1
  create_if_changed "$base" || return 1
  explain "モデルを読み込んでいます。" "Loading the models."
  preload "$chat_model" "" || return 1       # an empty prompt loads and generates nothing
  preload "$embed_model" "ready" || return 1 # an embedding model wants a text
}

keep_trying() {
  local wait_seconds=$first_wait_seconds
  until make_ready; do
    say "${wait_seconds} 秒後にもう一度試します。" "Trying again in ${wait_seconds} seconds."
    sleep "$wait_seconds"
    wait_seconds=$((wait_seconds * 2 > longest_wait_seconds ? longest_wait_seconds : wait_seconds * 2))
  done
  : > "$ready_marker"
  explain "準備ができました($chat_model、$embed_model)。" "Ready ($chat_model, $embed_model)."
}

stop() { # each job leads its own process group (set -m), so that a running download or sleep ends with its parent
  kill -TERM -- "-$preparing" 2> /dev/null
  kill -TERM "$server" 2> /dev/null
}

main() {
  rm -f "$ready_marker" "$state_note"
  explain "Ollama サーバーを起動しています。" "Starting the Ollama server."
  set -m
  ollama serve &
  server=$!
  keep_trying &
  preparing=$!
  trap stop TERM INT
  local code
  while true; do
    wait "$server"
    code=$?
    kill -0 "$server" 2> /dev/null || break # a signal ends `wait` early: wait again until the server is gone
  done
  kill -TERM -- "-$preparing" 2> /dev/null
  rm -f "$ready_marker"
  exit "$code"
}

case "${1:-start}" in
  start) main ;;
  health) health ;;
  *)
    say "使い方: ollama-entrypoint.sh [health]" "Usage: ollama-entrypoint.sh [health]" >&2
    exit 2
    ;;
esac
