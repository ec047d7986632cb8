package routed

import (
	"strings"
	"testing"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
)

// TestKernelThatLacksAPart has it answer as one that lacks an expression does.
func TestKernelThatLacksAPart(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	err := l.d.in(l.d.host, func(*kernel) error {
		ts, err := newTables()
		if err != nil {
			return err
		}
		chain := ts.add(nftables.TableFamilyINet, "lacks").chain("c")
		chain.rule([]expr.Any{sourceIP(), &expr.Lookup{SourceRegister: reg1, SetName: "missing", SetID: 1}})
		return ts.commit()
	})
	if err == nil || !strings.Contains(err.Error(), "nft_fib_inet") {
		t.Errorf("err = %v, want one that names what is needed", err)
	}
}
