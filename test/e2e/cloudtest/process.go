package cloudtest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Root is the directory of the module.
func Root() string { return root() }

// Process is one QEMU of the cloud.
type Process struct {
	PID     int
	Machine string // UID
}

// Processes are all QEMUs of the cloud, also those that should not be.
func (c *Cloud) Processes() []Process {
	var all []Process
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil || !bytes.Contains(b, []byte("qemu-system")) || !bytes.Contains(b, []byte(c.Dir+"/")) {
			continue
		}
		p := Process{}
		p.PID, _ = strconv.Atoi(strings.Split(f, "/")[2])
		args := strings.Split(string(b), "\x00")
		for i, a := range args {
			if a == "-uuid" && i+1 < len(args) {
				p.Machine = args[i+1]
			}
		}
		all = append(all, p)
	}
	return all
}

// VMID is the machine's UID.
func (g *Guest) VMID() string {
	g.c.T.Helper()
	var vm VM
	g.c.JSON(&vm, "vm", "show", g.Name)
	return vm.Properties.VMID
}

// DataDisks are the data disks that the guest sees: "lun0" to its device.
func (g *Guest) DataDisks() map[string]string {
	g.c.T.Helper()
	var s struct {
		DataDisks map[string]string `json:"dataDisks"`
	}
	if out := g.SSH("status"); json.Unmarshal([]byte(out), &s) != nil {
		g.c.T.Fatalf("the guest's status is no JSON: %s", out)
	}
	return s.DataDisks
}
