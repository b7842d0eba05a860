// SPDX-License-Identifier: Apache-2.0
#include "ledger/bundle_readme.h"
#include <string>
#include <string_view>

#include "ledger/merkle.h"
#include "ledger/note.h"

namespace glovebox::ledger {
namespace {

constexpr std::string_view kSteps = R"TEXT(
Needed: a POSIX shell, GNU coreutils, openssl 3, python3. No network. The indented lines are
commands, to be given in this folder in this order; `set -e` stops at the first that fails.

1. Every file is what the manifests say.

    set -e
    sha256sum --quiet -c tagmanifest-sha256.txt
    sha256sum --quiet -c manifest-sha256.txt

2. The room is the one of your contract. The last part of the first line of the checkpoint is the
   SHA-256 of entry 0, which holds the terms and all keys. Compare it with the value that YOU
   noted when the room was made: this bundle cannot vouch for itself.

    head -n 1 data/log/checkpoint
    room=$(sha256sum data/genesis.json | cut -c1-64)
    head -n 1 data/log/checkpoint | grep -q "/room/$room\$"

3. The log signed this checkpoint: origin, number of entries, root of the tree. data/policy.txt
   has the keys; those of the collaborators are also in data/genesis.json.

    t=$(mktemp -d)
    head -n 3 data/log/checkpoint > "$t/text"
    name=$(head -n 1 data/log/checkpoint)
    derkey() {
      printf '\060\052\060\005\006\003\053\145\160\003\041\000'
      printf %s "$1" | base64 -d | tail -c 32
    }
    check() {
      openssl pkeyutl -verify -pubin -keyform DER -inkey "$t/key" -rawin -in "$1" -sigfile "$t/sig"
    }
    derkey "$(sed -n 's/^log [^+]*+[0-9a-f]\{8\}+//p' data/policy.txt)" > "$t/key"
    grep -F -- "— $name " data/log/checkpoint | cut -d' ' -f3 | base64 -d | tail -c 64 > "$t/sig"
    check "$t/text"

4. Every collaborator cosigned it: the same text, with the time before it.

    grep '^witness ' data/policy.txt | while read -r word id vkey; do
      derkey "${vkey#*+*+}" > "$t/key"
      grep -F -- "— ${vkey%%+*} " data/log/checkpoint | cut -d' ' -f3 | base64 -d > "$t/cosignature"
      hex=$(tail -c +5 "$t/cosignature" | head -c 8 | od -An -tx1 | tr -d ' \n')
      printf 'cosignature/v1\ntime %d\n' "0x$hex" > "$t/message"
      cat "$t/text" >> "$t/message"
      tail -c 64 "$t/cosignature" > "$t/sig"
      check "$t/message"
    done

5. The entries are the ones under that root (RFC 6962): a leaf is SHA-256 of a zero byte and the
   entry, a node SHA-256 of a one byte and its two children. Each file of data/log/tile/entries
   has up to 256 entries, each after its length in two bytes.

    python3 - data/log <<'END'
    import base64, glob, hashlib, os, sys
    log = sys.argv[1]
    sha = lambda b: hashlib.sha256(b).digest()
    leaves = []
    tiles = sorted(f for f in glob.glob(log + '/tile/entries/**', recursive=True) if os.path.isfile(f))
    for f in tiles:
        b = open(f, 'rb').read()
        while b:
            n = b[0] * 256 + b[1]
            leaves.append(sha(b'\0' + b[2:2 + n]))
            b = b[2 + n:]
    def root(h):
        if len(h) == 1:
            return h[0]
        k = 1
        while 2 * k < len(h):
            k *= 2
        return sha(b'\1' + root(h[:k]) + root(h[k:]))
    origin, size, want = open(log + '/checkpoint').read().split('\n')[:3]
    sys.exit(0 if len(leaves) == int(size) and base64.b64encode(root(leaves)).decode() == want else 1)
    END
    rm -r "$t"
    echo verified

What this proves: order and bytes of the entries up to this size; that all collaborators saw the
same log. It does not prove that an entry is true, nor that the computation was correct, nor that
nothing happened outside the room. `glovebox audit verify` checks more: the signature of every act,
that nothing ran without approval, that nothing was exported without review.
)TEXT";

}  // namespace

std::string BundleReadme(const Checkpoint& checkpoint) {
  std::string text = "Evidence of a data clean room.\n\n";
  text += "origin   " + checkpoint.origin + "\n";
  text += "entries  " + std::to_string(checkpoint.size) + "\n";
  text += "root     " + HashHex(checkpoint.root) + " (SHA-256)\n";
  text += kSteps;
  return text;
}

}  // namespace glovebox::ledger
