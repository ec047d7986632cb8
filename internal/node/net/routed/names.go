package routed

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	"github.com/google/uuid"
)

// Device names have at most 15 bytes.
const (
	networkPrefix = "lz-"    // router namespaces, and their veths on the host
	portPrefix    = "p-"     // taps, inside
	uplinkName    = "uplink" // the veth inside
)

var uidPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

// checkUID keeps UIDs fit to be file names.
func checkUID(uid string) error {
	if !uidPattern.MatchString(uid) {
		return fmt.Errorf("%q is not a uid", uid)
	}
	return nil
}

// networkName names the namespace of a network, and its veth on the host.
func networkName(uid string) string { return networkPrefix + shortName(uid) }

// portName names the tap of a port.
func portName(uid string) string { return portPrefix + shortName(uid) }

// shortName is 12 hexadecimal digits: the first ones of a random UUID, for
// people to recognise, and those of a hash of any other UID (the first digits
// of a UUID made of the time are the same for all of one moment).
func shortName(uid string) string {
	if u, err := uuid.Parse(uid); err == nil && u.Version() == 4 {
		return strings.ReplaceAll(u.String(), "-", "")[:12]
	}
	sum := sha256.Sum256([]byte(uid))
	return hex.EncodeToString(sum[:6])
}
