package disk

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
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

// Row is what was measured of one way to use disks.
type Row struct {
	Test string  // "read QD1 io_uring"
	FIO  float64 // requests per second
	// Ratios are medians; "-" where nothing was measured. Raw is a data disk,
	// Overlay an OS disk whose blocks it has itself, Image one whose blocks are
	// its image's.
	RawFIO, OverlayFIO, OverlayRaw, ImageRaw string
	Load                                     string
}

// Config is what to measure.
type Config struct {
	Dir       string // on the file system to measure
	SizeBytes int64  // of each disk
	Rounds    int    // measurements of each figure
	AIO       []string
}

// Measure makes disks and measures all in turn, round after round. It gives
// each row to done and leaves nothing behind.
func Measure(ctx context.Context, c Config, done func(Row)) error {
	dir, err := os.MkdirTemp(c.Dir, "bench-disk-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	targets, err := prepare(ctx, dir, c.SizeBytes)
	if err != nil {
		return err
	}
	for _, write := range []bool{false, true} {
		for _, depth := range []int{1, 32} {
			for _, aio := range c.AIO {
				r, err := row(ctx, targets, test{write, depth, aio}, c)
				if err != nil {
					return err
				}
				done(r)
			}
		}
	}
	return nil
}

func row(ctx context.Context, targets []target, t test, c Config) (Row, error) {
	iops := map[string][]float64{}
	for range c.Rounds {
		for _, target := range targets {
			if t.write && !target.writes {
				continue
			}
			v, err := measure(ctx, target, t, c.SizeBytes)
			if err != nil {
				return Row{}, err
			}
			iops[target.name] = append(iops[target.name], v)
		}
	}
	return Row{
		Test: t.String(), FIO: median(iops["fio"]), RawFIO: ratio(iops, "raw", "fio"), OverlayFIO: ratio(iops, "overlay", "fio"),
		OverlayRaw: ratio(iops, "overlay", "raw"), ImageRaw: ratio(iops, "image", "raw"), Load: load(),
	}, nil
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
