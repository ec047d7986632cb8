package compute

import (
	"fmt"
	"slices"
	"strings"

	"lazuli/internal/arm"
	"lazuli/internal/fabric"
)

// Words of bodies that several types use.
const (
	linux   = "Linux"
	windows = "Windows"

	generation1 = "V1" // boots with BIOS
	generation2 = "V2" // boots with UEFI
)

func generationOf(f fabric.Firmware) string {
	if f == fabric.UEFI {
		return generation2
	}
	return generation1
}

func firmwareOf(generation string) fabric.Firmware {
	if generation == generation2 {
		return fabric.UEFI
	}
	return fabric.BIOS
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func elementOf(target string, i int) string { return fmt.Sprintf("%s[%d]", target, i) }

// zoneNames are the names of zones that Azure has.
var zoneNames = []string{"1", "2", "3"}

// readZones reads the zones of a resource, of which it is in one at most.
// There is one place only; a zone is a name for it.
func readZones(zones []string) ([]string, error) {
	if len(zones) > 1 {
		return nil, arm.InvalidParameter("zones", "The resource can be in one zone only.")
	}
	for _, z := range zones {
		if !slices.Contains(zoneNames, z) {
			return nil, arm.InvalidParameter("zones", "The zone '%s' is not one of: %s.", z, strings.Join(zoneNames, ", "))
		}
	}
	return zones, nil
}
