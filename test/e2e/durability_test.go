// Package e2e tests whole clouds with real guests.
package e2e

import (
	"testing"

	"lazuli/test/e2e/cloudtest"
)

// TestDurability plays what can befall a machine, while it writes to its OS
// disk and a data disk. After each, every record that it was told is durable is
// there, its file systems are in order, and it is who it was.
func TestDurability(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t)
	c.Up()
	g := c.Create("web1", "--data-disk", "1G")
	g.Append("root", "lun0")
	stop := g.Listen()
	defer stop()
	before := g.Status()

	cases := []struct {
		name string
		boot bool // the guest boots anew
		do   func()
	}{
		{"guest reboot", true, func() { g.Try("reboot") }}, //nolint:errcheck // the connection ends with the guest
		{"stop and start", true, func() { c.Do("vm", "stop", "web1"); c.Do("vm", "start", "web1") }},
		{"deallocate and start", true, func() { c.Do("vm", "deallocate", "web1"); c.Do("vm", "start", "web1") }},
		{"restart", true, func() { c.Do("vm", "restart", "web1") }},
		{"kill -9 of QEMU", true, c.KillMachines},
		{"kill -9 of lazuli", false, func() { c.Kill(); g.AwaitMore(3, "root", "lun0"); c.Up() }},
		{"lazuli down and up", false, func() { c.Down(); g.AwaitMore(3, "root", "lun0"); c.Up() }},
		{"kill -9 of everything", true, func() { c.Kill(); c.KillMachines(); c.Up() }},
	}
	for _, tt := range cases {
		ok := t.Run(tt.name, func(t *testing.T) {
			c.T = t
			g.AwaitMore(5, "root", "lun0")
			boots := g.Status().Boots
			tt.do()
			if tt.boot {
				c.Eventually("the guest boots", func() error { return booted(g, boots) })
			}
			g.WantAcked("root")
			g.WantAcked("lun0")
			now := g.Status()
			if now.Hostname != before.Hostname || now.VMID != before.VMID || now.Addresses[0] != before.Addresses[0] {
				t.Errorf("the guest is %+v, was %+v", now, before)
			}
			t.Logf("%-24s every acknowledged record is there: %d on the OS disk, %d on the data disk", tt.name, g.Acked("root"), g.Acked("lun0"))
		})
		if !ok {
			break
		}
	}
	c.T = t
}
