package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"lazuli/test/e2e/cloudtest"
)

// libvirtRSS is what libvirtd 9 takes when idle, without a control plane.
const libvirtRSS = 35 << 20

// memory is an account of a process's memory, in bytes, as the kernel names
// its parts.
type memory map[string]float64

// part is the median of one part of accounts.
func part(all []memory, name string) float64 {
	var values []float64
	for _, m := range all {
		values = append(values, m[name])
	}
	return median(values)
}

// addMemory adds what the daemon takes without machines and with n of them.
func (b *bench) addMemory(idle, busy []memory, n int) {
	rss := part(idle, "Rss")
	b.add("lazuli up, idle: RSS", mib(rss), "libvirtd alone "+mib(libvirtRSS)+" (not of this run)", fmt.Sprintf("%.2f", rss/libvirtRSS), "<= 80 MiB")
	b.add("lazuli up, idle: PSS; of it anonymous", mib(part(idle, "Pss"))+"; "+mib(part(idle, "Pss_Anon")), "", "-", "")
	for _, name := range []string{"Rss", "Pss_Anon"} {
		b.add("outside QEMU for each VM: "+name, mib((part(busy, name)-part(idle, name))/float64(n)), "", "-", "<= 2 MiB")
	}
	program, err := os.Stat(cloudtest.Program(b.t))
	b.must(err)
	b.add("binary", mib(float64(program.Size())), "", "-", "")
}

// settle is how long the daemon is left alone before its memory is read.
const settle = 3 * time.Second

// memory is the daemon's.
func (b *bench) memory() memory {
	select {
	case <-time.After(settle):
	case <-b.ctx.Done():
		b.t.Fatal(b.ctx.Err())
	}
	text, err := os.ReadFile(filepath.Join(b.cloud.Dir, "lazuli.pid"))
	b.must(err)
	var pid int
	_, err = fmt.Sscan(string(text), &pid)
	b.must(err)
	m, err := readMemory(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	b.must(err)
	return m
}

// readMemory reads the sums of a process's mappings.
func readMemory(path string) (memory, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m := memory{}
	for in := bufio.NewScanner(f); in.Scan(); {
		name, rest, _ := strings.Cut(in.Text(), ":")
		var kib float64
		if n, _ := fmt.Sscan(rest, &kib); n == 1 {
			m[name] = kib * 1024
		}
	}
	return m, nil
}
