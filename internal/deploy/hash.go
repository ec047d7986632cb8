package deploy

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"

	"lazuli/internal/template/jsonc"
)

// hash is that of a template: a number, as in Azure, and the same for templates
// that differ in spaces and comments only.
func hash(t *jsonc.Object) string {
	sum := sha256.Sum256(jsonc.Append(nil, t))
	return strconv.FormatUint(binary.BigEndian.Uint64(sum[:]), 10)
}
