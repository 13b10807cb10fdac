#!/bin/sh
# mmdebstrap hook: lets Debian's npm send the user and the password of HTTPS_PROXY. It hands them to its proxy agent as `auth`, which
# the agent does not know any more; without them such a proxy answers 407. A base for running has no npm.
set -eu
agent=$1/usr/share/nodejs/npm/node_modules/make-fetch-happen/lib/agent.js
[ -f "$agent" ] || exit 0
sed -i 's/^\( *\)auth: getAuth(proxyUrl),/&\n\1username: proxyUrl.username,\n\1password: proxyUrl.password,/' "$agent"
