// Command bench measures what Lazuli adds to what it is made of, and prints one
// table: QEMU started by hand beside a machine of the cloud, etcd beside the
// API, fio beside a machine's disk. It asserts nothing.
//
// Ratios are medians of ratios of pairs that ran one after the other, the order
// alternating, so that other work on the machine falls on both sides; the load
// average stands beside each. Differences are medians of differences.
//
// It runs as root, on a cloud in a network namespace of its own, and takes
// everything away afterwards.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

// options are what the measurements can be told.
type options struct {
	rounds   int
	machines int
	debian   bool
	diskDir  string
	diskSize int64
	aio      string
}

// parts are the measurements in the order that they are made in: an idle daemon
// must not have worked before.
var parts = []struct {
	name string
	run  func(b *bench)
}{
	{"daemon", (*bench).daemon},
	{"start", (*bench).start},
	{"debian", (*bench).debian},
	{"state", (*bench).state},
	{"list", (*bench).list},
	{"template", (*bench).template},
	{"disk", (*bench).disk},
}

func main() {
	var o options
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
	}
	only := flag.String("only", strings.Join(names, ","), "which parts to measure")
	flag.IntVar(&o.rounds, "rounds", 5, "measurements of each figure")
	flag.IntVar(&o.machines, "machines", 10, "machines of part daemon")
	flag.BoolVar(&o.debian, "debian", false, "boot Debian too, if .cache has its image")
	flag.StringVar(&o.diskDir, "disk-dir", ".", "directory on the file system that part disk measures")
	flag.Int64Var(&o.diskSize, "disk-size", 1<<30, "bytes of each disk of part disk")
	flag.StringVar(&o.aio, "aio", "io_uring", "kinds of I/O of part disk: io_uring,native")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ok := run(ctx, o, strings.Split(*only, ","))
	stop()
	if !ok {
		os.Exit(1)
	}
}

// run makes the measurements that are named and prints the table; it says
// whether all could be made.
func run(ctx context.Context, o options, only []string) bool {
	b := &bench{options: o, t: newTB(ctx), ctx: ctx}
	for _, p := range parts {
		if !slices.Contains(only, p.name) || ctx.Err() != nil {
			continue
		}
		fmt.Fprintf(os.Stderr, "bench: %s (load %s)\n", p.name, load())
		b.t.attempt(p.name, func() { p.run(b) })
	}
	b.t.cleanUp()
	b.table.print(os.Stdout)
	return !b.t.Failed() && ctx.Err() == nil
}
