#!/bin/sh
# A backup repository to try Backwatch on: a month of nightly backups of two hundred documents, and
# what ransomware does to them.
#
#   repository.sh restic DIR [NIGHTS]      makes DIR: the documents, a restic repository, and the
#   repository.sh borg DIR [NIGHTS]        backups of the last 30 nights (or a borg repository)
#   DIR/back-up                            the nightly job that it leaves there, with Backwatch behind it
#   repository.sh encrypt DIR [PERCENT]    puts random bytes in the place of each document, or of so many
#
# Needs GNU date, the backup tool, and backwatch on the path. Everything that it makes is in DIR.
set -eu
# Other users see nothing of it: what is tried there has passwords and keys.
umask 077
export LC_ALL=C TZ=UTC

# text SEED LINES: so many lines of words.
text() {
    awk -v seed="$1" -v lines="$2" 'BEGIN {
        srand(seed)
        count = split("invoice meeting order the of and customer delivery paid open draft figures " \
            "report quarter number address contract reply until week storage price list", words)
        while (lines-- > 0) {
            line = ""
            for (i = 0; i < 12; i++) line = line words[int(rand() * count) + 1] " "
            print line int(rand() * 100000)
        }
    }'
}

# Two hundred documents of 2 to 40 KB.
write_documents() {
    for number in $(seq 200); do
        folder=documents/$((number % 10))
        mkdir -p "$folder"
        text "$number" $((20 + number * 37 % 400)) >"$folder/$number.txt"
    done
}

# work NIGHT: what people do in a day, a little more or less of it. Some documents grow, a few are
# new, now and then one is thrown away.
work() {
    for turn in $(seq $((3 + $1 * 7 % 5))); do
        number=$((($1 * 31 + turn * 17) % 200 + 1))
        file=documents/$((number % 10))/$number.txt
        [ ! -e "$file" ] || text "$1$turn" 8 >>"$file"
    done
    for new in $(seq $((1 + $1 % 3))); do
        text "$1$new" $((30 + $1 * 13 % 100)) >"documents/$(($1 % 10))/new-$1-$new.txt"
    done
    [ $(($1 % 6)) -ne 0 ] || rm -f "documents/$(($1 % 10))/$(($1 * 11 % 200 + 1)).txt"
}

restic_job() {
    cat <<'JOB'
#!/bin/sh
# The nightly job: a backup, and a look at it. A time, in UTC, stands for a night that is past.
cd "$(dirname "$0")" || exit
export TZ=UTC RESTIC_REPOSITORY=repository RESTIC_PASSWORD=try RESTIC_CACHE_DIR=cache
when=${1:-$(date +'%Y-%m-%d %H:%M:%S')}
restic backup --json --host files01 --time "$when" documents >printed
status=$?
backwatch ingest --db backwatch.db --format restic-backup --client files01 --policy documents \
    --started-at "$(echo "$when" | tr ' ' T)Z" --exit-code "$status" printed || true
exit "$status"
JOB
}

borg_job() {
    cat <<'JOB'
#!/bin/sh
# The nightly job: a backup, and a look at it. A time, in UTC, stands for a night that is past.
cd "$(dirname "$0")" || exit
export TZ=UTC BORG_REPO=repository BORG_PASSPHRASE=try BORG_BASE_DIR=$PWD
when=$(echo "${1:-$(date +'%Y-%m-%d %H:%M:%S')}" | tr ' ' T)
borg create --json --timestamp "$when" "::documents-$when" documents >printed
status=$?
backwatch ingest --db backwatch.db --format borg-create --client files01 --policy documents \
    --policy-parts series --timezone UTC --started-at "${when}Z" --exit-code "$status" printed || true
exit "$status"
JOB
}

# So many nights, the last one yesterday at ten in the evening.
make_history() {
    write_documents
    for night in $(seq "$1"); do
        work "$night"
        ./back-up "$(date -d "$(($1 + 1 - night)) days ago" +'%Y-%m-%d 22:00:00')"
    done
}

# So many of a hundred documents, evenly strewn.
encrypt() {
    strewn='int(NR * part / 100) > int((NR - 1) * part / 100)'
    find documents -type f | sort | awk -v part="$1" "$strewn" | while read -r file; do
        head -c "$(wc -c <"$file")" /dev/urandom >"$file.new"
        mv "$file.new" "$file"
    done
}

[ $# -eq 2 ] || [ $# -eq 3 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2; exit 2; }
case $1 in
restic | borg)
    mkdir "$2"
    cd "$2"
    "$1_job" >back-up
    chmod +x back-up
    if [ "$1" = restic ]; then
        RESTIC_PASSWORD=try restic --quiet --repo repository --no-cache init
    else
        BORG_PASSPHRASE=try BORG_BASE_DIR=$PWD borg init --encryption repokey repository
    fi
    make_history "${3:-30}"
    ;;
encrypt)
    cd "$2"
    encrypt "${3:-100}"
    ;;
*)
    echo "$1 is none of restic, borg, encrypt" >&2
    exit 2
    ;;
esac
