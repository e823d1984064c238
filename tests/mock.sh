# For scripts that run programs against the mock. They set `folder`, for what is written, and `keyfit`, the command.

# first NAME FILE: the first member of this name.
first() { grep -o "\"$1\":\"[^\"]*\"" "$2" | sed -n '1s/.*:"\(.*\)"/\1/p'; }

# said FILE PATTERN...: waits up to 30 seconds for lines like these.
said() {
  local file=$1 pattern
  shift
  for pattern in "$@"; do
    for _ in $(seq 300); do
      grep -qE -- "$pattern" "$file" && continue 2
      sleep 0.1
    done
    cat "$file"
    echo "$0: nothing like: $pattern" >&2
    exit 1
  done
}

# mock API PREFIX TOKEN: serves an API, or that of a folder where there is a slash; exports PREFIX_BASE_URL, and as TOKEN the
# token that may do everything; sets $admin.
mock() {
  local started=$folder/${1//\//-} which=--api
  [[ $1 != */* ]] || which=--api-dir
  : > "$started"
  "$keyfit" mock "$which" "$1" --port 0 --json > "$started" 2>/dev/null &
  said "$started" '}$'
  admin=$(first admin_url "$started")
  # The first token may do everything.
  export "$2_BASE_URL=$(first base_url "$started")" "$3=$(first token "$started")"
}
