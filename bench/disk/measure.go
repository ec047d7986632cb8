package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

const (
	blockSize = 4096
	stride    = 36864 // so that no read-ahead helps
)

// requests of one measurement, by queue depth: a second or so.
var requests = map[int]int64{1: 12000, 32: 60000}

// test is one way to use a disk.
type test struct {
	write bool
	depth int
	aio   string
}

func (t test) String() string {
	kind := "read"
	if t.write {
		kind = "write"
	}
	return fmt.Sprintf("%s QD%d %s", kind, t.depth, t.aio)
}

// report measures all targets in turn, round after round.
func report(ctx context.Context, out io.Writer, targets []target, size int64, rounds int) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	defer w.Flush()
	fmt.Fprintln(w, "4 KiB\tfio IOPS\traw/fio\toverlay/fio\toverlay/raw\timage/raw\tload")
	for _, write := range []bool{false, true} {
		for _, depth := range []int{1, 32} {
			for _, aio := range []string{"io_uring", "native"} {
				if err := row(ctx, w, targets, test{write, depth, aio}, size, rounds); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func row(ctx context.Context, w io.Writer, targets []target, t test, size int64, rounds int) error {
	iops := map[string][]float64{}
	for range rounds {
		for _, target := range targets {
			if t.write && !target.writes {
				continue
			}
			v, err := measure(ctx, target, t, size)
			if err != nil {
				return err
			}
			iops[target.name] = append(iops[target.name], v)
		}
	}
	fmt.Fprintf(w, "%v\t%.0f\t%s\t%s\t%s\t%s\t%s\n", t, median(iops["fio"]), ratio(iops, "raw", "fio"),
		ratio(iops, "overlay", "fio"), ratio(iops, "overlay", "raw"), ratio(iops, "image", "raw"), load())
	return nil
}

// ratio is the median of the ratios of the rounds.
func ratio(iops map[string][]float64, a, b string) string {
	var all []float64
	for i := range iops[a] {
		all = append(all, iops[a][i]/iops[b][i])
	}
	if len(all) == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", median(all))
}

func median(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

func load() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "?"
	}
	first, _, _ := strings.Cut(string(data), " ")
	return first
}

// measure returns requests per second.
func measure(ctx context.Context, target target, t test, size int64) (float64, error) {
	n := min(requests[t.depth], size/stride)
	if target.format == "" {
		return fio(ctx, target.path, t, n)
	}
	args := []string{"bench", "-t", "none", "-i", t.aio, "-f", target.format, "-d", strconv.Itoa(t.depth),
		"-c", strconv.FormatInt(n, 10), "-s", strconv.Itoa(blockSize), "-S", strconv.Itoa(stride)}
	if t.write {
		args = append(args, "-w")
	}
	out, err := exec.CommandContext(ctx, "qemu-img", append(args, target.path)...).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("qemu-img bench: %w: %s", err, out)
	}
	m := regexp.MustCompile(`completed in ([0-9.]+) seconds`).FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("qemu-img bench says %q", out)
	}
	seconds, err := strconv.ParseFloat(string(m[1]), 64)
	return float64(n) / seconds, err
}

// fio does with the same strides what qemu-img does.
func fio(ctx context.Context, path string, t test, n int64) (float64, error) {
	kind, engine := "read", "io_uring"
	if t.write {
		kind = "write"
	}
	if t.aio == "native" {
		engine = "libaio"
	}
	out, err := exec.CommandContext(ctx, "fio", "--name=bound", "--filename="+path, "--direct=1", "--ioengine="+engine,
		fmt.Sprintf("--rw=%s:%d", kind, stride-blockSize), fmt.Sprintf("--bs=%d", blockSize),
		fmt.Sprintf("--iodepth=%d", t.depth), fmt.Sprintf("--io_size=%d", n*blockSize), "--output-format=json").Output()
	if err != nil {
		return 0, fmt.Errorf("fio: %w", err)
	}
	var result struct {
		Jobs []struct {
			Read, Write struct{ IOPS float64 }
		}
	}
	if err := json.Unmarshal(out, &result); err != nil || len(result.Jobs) != 1 {
		return 0, fmt.Errorf("fio says %q: %w", out, err)
	}
	if t.write {
		return result.Jobs[0].Write.IOPS, nil
	}
	return result.Jobs[0].Read.IOPS, nil
}
