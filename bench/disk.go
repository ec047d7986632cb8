package main

import (
	"fmt"
	"strings"

	"lazuli/bench/disk"
)

// disk measures the path of a machine's requests to the host's disk, without a
// guest: an emulated one would be most of what is measured.
func (b *bench) disk() {
	c := disk.Config{Dir: b.diskDir, SizeBytes: b.diskSize, Rounds: b.rounds, AIO: strings.Split(b.aio, ",")}
	b.must(disk.Measure(b.ctx, c, func(r disk.Row) {
		goal := ">= 0.90"
		if strings.Contains(r.Test, "QD32") {
			goal = ">= 0.85"
		}
		b.add("4 KiB "+r.Test+": data disk (raw)", "", fmt.Sprintf("fio %.0f/s", r.FIO), r.RawFIO, goal)
		b.add("4 KiB "+r.Test+": OS disk (qcow2)", "", fmt.Sprintf("fio %.0f/s", r.FIO), r.OverlayFIO, goal)
		image := ""
		if r.ImageRaw != "-" {
			image = "; blocks of its image " + r.ImageRaw
		}
		b.add("4 KiB "+r.Test+": OS disk (qcow2)", "", "data disk (raw)", r.OverlayRaw+image, "")
	}))
}
