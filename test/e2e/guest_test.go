package e2e

import (
	"encoding/json"
	"fmt"

	"lazuli/test/e2e/cloudtest"
)

// booted says whether the guest has booted more often than before.
func booted(g *cloudtest.Guest, before int) error {
	out, err := g.Try("status")
	if err != nil {
		return err
	}
	var s cloudtest.Status
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		return err
	}
	if s.Boots <= before {
		return fmt.Errorf("%d boots", s.Boots)
	}
	return nil
}
