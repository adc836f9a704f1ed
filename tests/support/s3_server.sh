#!/usr/bin/env bash
# A private S3 server on loopback for tests: Ceph's radosgw over one monitor and one object store in memory. It has
# versions, Object Lock, policies, quotas and TLS (with an authority of its own). Starts in about two seconds.
#
#   s3_server.sh up DIR OWNER_PID   starts it in the new folder DIR; it ends with the process OWNER_PID, whatever happens
#   s3_server.sh user DIR NAME      a user with access key "key-NAME" and secret key "secret-NAME"
#   s3_server.sh quota DIR BUCKET N at most N objects in the bucket (-1: any number)
#   s3_server.sh gateway DIR        starts the gateway again, on the same ports, after it was killed
#   s3_server.sh down DIR           stops all, by their own pids
#
# DIR then holds port and tls-port (of 127.0.0.1), ca.pem, ceph.conf, and pids in run/: client.rgw.pid, osd.0.pid, mon.a.pid
set -euo pipefail
umask 077
command=${1:?command} dir=${2:?folder}

free_port() { # prints a port that nobody listens on
    local port
    while :; do
        port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000)) # below the ephemeral ports
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
    done
}

gone() { # PID : a zombie counts, its parent may reap late
    case $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -c1) in '' | Z) return 0 ;; esac
    return 1
}

down() { # nothing in it is worth a clean end
    local name pid i
    for name in client.rgw osd.0 mon.a; do
        pid=$(cat "$dir/run/$name.pid" 2>/dev/null) || continue
        kill -KILL "$pid" 2>/dev/null || continue
        for ((i = 0; i < 100; i++)); do gone "$pid" && break || sleep 0.05; done
    done
    rm -rf "$dir"
}

gateway() {
    radosgw -c "$dir/ceph.conf" -n client.rgw 2>>"$dir/log/start.log"
    local i
    for ((i = 0; i < 1200; i++)); do # a busy machine takes its time
        ! curl -s -o "$dir/run/answer" "http://127.0.0.1:$(cat "$dir/port")/" || return 0
        sleep 0.05
    done
    echo "s3_server.sh: the gateway does not answer" >&2
    return 1
}

certificate() { # an authority, and a certificate of it for 127.0.0.1 and *.localhost
    local key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2)
    openssl req -x509 "${key[@]}" -subj "/CN=test authority" -keyout "$dir/ca.key" -out "$dir/ca.pem" 2>/dev/null
    openssl req "${key[@]}" -subj "/CN=127.0.0.1" -keyout "$dir/server.key" -out "$dir/server.csr" 2>/dev/null
    openssl x509 -req -in "$dir/server.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial -days 2 \
        -extfile <(echo "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:*.localhost") -out "$dir/server.crt" 2>/dev/null
    cat "$dir/server.key" "$dir/server.crt" >"$dir/server.pem"
}

configuration() { # for one host, one copy, no disk
    local monitor
    monitor=$(free_port)
    cat >"$dir/ceph.conf" <<C
[global]
fsid = $(cat /proc/sys/kernel/random/uuid)
mon initial members = a
mon host = [v2:127.0.0.1:$monitor]
public network = 127.0.0.0/8
cluster network = 127.0.0.0/8
ms bind ipv6 = false
ms bind msgr1 = false
run dir = $dir/run
admin socket = $dir/run/\$name.asok
pid file = $dir/run/\$name.pid
log file = $dir/log/\$name.log
crash dir = $dir/run
keyring = $dir/keyring
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
[mon]
mon data = $dir/mon
mon data avail crit = 1
mon data avail warn = 1
paxos propose interval = 0.05
paxos min wait = 0.01
auth allow insecure global id reclaim = true
mon cluster log file = $dir/log/cluster.log
[osd]
osd data = $dir/osd
osd objectstore = memstore
memstore device bytes = 4294967296
osd class load list = *
osd class default list = *
[client.rgw]
rgw data = $dir/rgw
rgw frontends = beast endpoint=127.0.0.1:$(cat "$dir/port") ssl_endpoint=127.0.0.1:$(cat "$dir/tls-port") ssl_certificate=$dir/server.pem
rgw dns name = localhost
rgw thread pool size = 16
rgw enable usage log = false
rgw run sync thread = false
rgw lc debug interval = 10
rgw bucket quota ttl = 0
rgw user quota bucket sync interval = 1
C
    ceph-authtool --create-keyring "$dir/keyring" --gen-key -n mon. --cap mon 'allow *'
    ceph-authtool "$dir/keyring" --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *'
    ceph-authtool "$dir/keyring" --gen-key -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *'
    ceph-authtool "$dir/keyring" --gen-key -n client.rgw --cap mon 'allow *' --cap osd 'allow *'
    monmaptool --create --clobber --fsid "$(sed -n 's/^fsid = //p' "$dir/ceph.conf")" \
        --addv a "[v2:127.0.0.1:$monitor]" "$dir/monmap"
}

case $command in
    up)
        owner=${3:?pid of the owner}
        mkdir -p "$dir"/{mon,osd,rgw,run,log}
        free_port >"$dir/port"
        free_port >"$dir/tls-port"
        certificate
        configuration >"$dir/log/start.log"
        export CEPH_CONF=$dir/ceph.conf
        # Outlives this script, and nothing else: it keeps no descriptor of the owner open.
        setsid bash -c 'while kill -0 "$1" 2>/dev/null && [ -d "$2" ]; do sleep 1; done; [ ! -d "$2" ] || "$0" down "$2"' \
            "$(realpath "${BASH_SOURCE[0]}")" "$owner" "$dir" </dev/null >/dev/null 2>&1 3>&- &
        ceph-mon -i a --mkfs --monmap "$dir/monmap" --keyring "$dir/keyring" 2>>"$dir/log/start.log"
        ceph-mon -i a 2>>"$dir/log/start.log"
        ceph --connect-timeout 20 osd create >/dev/null
        ceph-osd -i 0 --mkfs >/dev/null 2>>"$dir/log/start.log"
        ceph-osd -i 0 >/dev/null 2>>"$dir/log/start.log"
        gateway
        ;;
    user)
        radosgw-admin -c "$dir/ceph.conf" -n client.rgw user create --uid="${3:?name}" --display-name="$3" \
            --access-key="key-$3" --secret-key="secret-$3" >/dev/null 2>>"$dir/log/start.log"
        ;;
    quota)
        admin=(radosgw-admin -c "$dir/ceph.conf" -n client.rgw --bucket="${3:?bucket}" --quota-scope=bucket)
        "${admin[@]}" quota set --max-objects="${4:?objects}" 2>>"$dir/log/start.log"
        "${admin[@]}" quota enable 2>>"$dir/log/start.log"
        ;;
    gateway) gateway ;;
    down) down ;;
    *) echo "s3_server.sh: unknown command $command" >&2; exit 2 ;;
esac
