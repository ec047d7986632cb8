package place

import (
	"strings"
	"testing"
)

func TestChoose(t *testing.T) {
	small := Node{Name: "small", CPUs: 2, MemoryMiB: 4096, Ready: true, Images: []string{"debian-12"}}
	big := Node{Name: "big", CPUs: 16, MemoryMiB: 65536, Ready: true}
	full := Node{Name: "full", CPUs: 16, MemoryMiB: 65536, UsedMiB: 65000, Ready: true}
	off := Node{Name: "off", CPUs: 16, MemoryMiB: 65536}
	tests := map[string]struct {
		nodes []Node
		want  Want
		node  string
		err   string
	}{
		"most free":         {nodes: []Node{small, big, full}, want: Want{CPUs: 1, MemoryMiB: 1024}, node: "big"},
		"where the disk is": {nodes: []Node{small, big}, want: Want{CPUs: 1, MemoryMiB: 1024, Node: "small"}, node: "small"},
		"has the image":     {nodes: []Node{small, big}, want: Want{MemoryMiB: 1024, Image: "debian-12"}, node: "small"},
		"none at all":       {want: Want{}, err: "no node has joined"},
		"too big":           {nodes: []Node{small}, want: Want{MemoryMiB: 4096}, err: "1 with less than 4096 MiB of memory free"},
		"too many CPUs":     {nodes: []Node{small}, want: Want{CPUs: 9, MemoryMiB: 1}, err: "1 with fewer than 3 processors"},
		"not connected":     {nodes: []Node{off}, want: Want{MemoryMiB: 1}, err: "not connected"},
		"disk elsewhere":    {nodes: []Node{big}, want: Want{MemoryMiB: 1, Node: "small"}, err: "1 without its disks"},
		"ties by name":      {nodes: []Node{{Name: "b", MemoryMiB: 9000, Ready: true}, {Name: "a", MemoryMiB: 9000, Ready: true}}, want: Want{MemoryMiB: 1}, node: "a"},
		"apart":             {nodes: []Node{small, big, full}, want: Want{MemoryMiB: 1024, Apart: map[string]int{"big": 1}}, node: "small"},
		"less crowded":      {nodes: []Node{small, big}, want: Want{MemoryMiB: 1024, Apart: map[string]int{"small": 2, "big": 1}}, node: "big"},
		"apart if it fits":  {nodes: []Node{small, big}, want: Want{MemoryMiB: 8192, Apart: map[string]int{"big": 5}}, node: "big"},
		"as crowded":        {nodes: []Node{small, big}, want: Want{MemoryMiB: 1024, Apart: map[string]int{"small": 2, "big": 2}}, node: "big"},
		"several reasons":   {nodes: []Node{off, full}, want: Want{MemoryMiB: 1000}, err: "1 not connected, 1 with less than 1000 MiB of memory free"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := Choose(tt.nodes, tt.want)
			if got != tt.node || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("Choose = %q, %v, want %q, %q", got, err, tt.node, tt.err)
			}
		})
	}
}
