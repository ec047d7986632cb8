package main

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"
)

const (
	tinyImage = "tiny"
	// initRuns is the first thing that the tiny guest's init says.
	initRuns = "guest: up "
	// libvirtStop is what libvirt 9 takes to end a guest on a host like this;
	// it is not part of this repository's dependencies.
	libvirtStop = 1900 * time.Millisecond
)

// birth is what a machine of the cloud took from the request.
type birth struct {
	answered, spawned, runs, up, used, login, gone time.Duration
}

// start boots machines of the tiny guest, each beside the same QEMU by hand.
func (b *bench) start() {
	b.up()
	address := b.publicIP()
	m := b.create("warm", tinyImage, "Standard_B1ls", -1)
	b.must(b.await(func() error { return hasText(m.file("serial.log"), initRuns) }))
	x := b.learn(m, tinyImage)
	m.delete()
	var up, used, runs, gone, login pairs[time.Duration]
	var answered, spawned []time.Duration
	for i := range b.rounds {
		var ours birth
		var peer life
		if i%2 == 0 {
			ours, peer = b.bear(i, address), x.live(b, initRuns)
		} else {
			peer, ours = x.live(b, initRuns), b.bear(i, address)
		}
		up.add(ours.up, peer.up)
		used.add(ours.used, peer.used)
		runs.add(ours.runs, peer.runs)
		gone.add(ours.gone, peer.gone)
		login.add(ours.login, peer.up)
		answered, spawned = append(answered, ours.answered), append(spawned, ours.spawned)
	}
	b.add("PUT VM until the API has answered", ms(median(answered)), "", "-", "")
	b.add("PUT VM until QEMU is spawned", ms(median(spawned)), "", "-", "")
	b.add("PUT VM until the guest's processor runs", ms(median(runs.ours)), "the same QEMU by hand "+ms(median(runs.peers)),
		runs.ratio()+" ("+signed(runs.difference())+")", "own share <= 60 ms")
	b.add("PUT VM until the guest's init runs", ms(median(up.ours)), "the same QEMU by hand "+ms(median(up.peers)),
		up.ratio()+" ("+signed(up.difference())+")", "<= 1.05")
	b.add("of that, processor time of QEMU", ms(median(used.ours)), "the same QEMU by hand "+ms(median(used.peers)), used.ratio(), "<= 1.05")
	b.add("PUT VM until SSH lets in (tiny)", ms(median(login.ours)), "init runs by hand "+ms(median(login.peers)), login.ratio(), "")
	b.add("DELETE VM until it is gone", ms(median(gone.ours)), "kill and wait "+ms(median(gone.peers)),
		gone.ratio()+fmt.Sprintf("; of libvirt's %s: %.2f", ms(libvirtStop), float64(median(gone.ours))/float64(libvirtStop)), "<= 0.1 of libvirt's")
}

func signed(d time.Duration) string {
	if d < 0 {
		return ms(d)
	}
	return "+" + ms(d)
}

// bear makes a machine and deletes it.
func (b *bench) bear(i int, address string) (t birth) {
	m := b.create(fmt.Sprintf("start%d", i), tinyImage, "Standard_B1ls", -1)
	b.must(b.await(func() error { return hasText(m.file("serial.log"), initRuns) }))
	t.answered, t.up = m.answered, time.Since(m.askedAt)
	p, err := m.process()
	b.must(err)
	t.used, err = processorTime(p.PID)
	b.must(err)
	b.must(b.await(func() error { return b.logIn(address) }))
	t.login = time.Since(m.askedAt)
	t.spawned = p.StartedAt.Sub(m.askedAt)
	at, err := b.startedAt(m.uid)
	b.must(err)
	t.runs = at.Sub(m.askedAt)
	t.gone = m.delete()
	return t
}

var startedLine = regexp.MustCompile(`(?m)^time=(\S+) .*msg="machine started".* uid=(\S+)`)

// startedAt is when the daemon's log says that QEMU runs the guest.
func (b *bench) startedAt(uid string) (time.Time, error) {
	log, err := os.ReadFile(b.cloud.LogPath())
	if err != nil {
		return time.Time{}, err
	}
	for _, m := range startedLine.FindAllStringSubmatch(string(log), -1) {
		if m[2] == uid {
			return time.Parse(time.RFC3339, m[1])
		}
	}
	return time.Time{}, fmt.Errorf("the daemon's log does not say when machine %s was started", uid)
}

// processorTime is what a process has had of the processors, as the kernel
// accounts it: in hundredths of a second.
func processorTime(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The name before may have spaces; after it, utime and stime are the
	// twelfth and thirteenth.
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	var user, system int64
	if _, err := fmt.Sscan(strings.Join(fields[11:13], " "), &user, &system); err != nil {
		return 0, err
	}
	return time.Duration(user+system) * 10 * time.Millisecond, nil
}
