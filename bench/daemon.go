package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// fleet makes n machines that do nothing and waits until they run.
func (b *bench) fleet(n int) []*machine {
	var all []*machine
	for i := range n {
		all = append(all, b.create(fmt.Sprintf("vm%d", i), blank, "Standard_B1ls", i))
	}
	for _, m := range all {
		b.must(b.await(m.running))
	}
	return all
}

// daemon kills the daemon and starts it again, round after round, without
// machines and then with them, and reads each time what memory it takes. There
// is no other process of ours: what is outside QEMU is in the daemon.
func (b *bench) daemon() {
	b.up()
	var idle, busy []memory
	var empty []time.Duration
	for range b.rounds {
		b.kill()
		empty = append(empty, b.restart(nil))
		idle = append(idle, b.memory())
	}
	all := b.fleet(b.machines)
	before := pids(b, all)
	var starts pairs[time.Duration]
	var held []time.Duration
	for i := range b.rounds {
		b.kill()
		from := time.Now()
		starts.add(b.restart(all), empty[i])
		at := b.attachedAt()
		held = append(held, at[len(at)-1].Sub(from))
		busy = append(busy, b.memory())
	}
	note := "no process changed"
	if after := pids(b, all); after != before {
		note = fmt.Sprintf("PROCESSES CHANGED: %s, now %s", before, after)
	}
	b.add(fmt.Sprintf("daemon killed: until a new one holds %d VMs and the API says that they run", len(all)), ms(median(starts.ours)),
		"until its node is there, without VMs: "+ms(median(starts.peers)), starts.ratio()+" ("+signed(starts.difference())+"), "+note, "<= 1.3")
	b.add("of that, until the agent holds them", ms(median(held)), "", "-", "")
	b.addMemory(idle, busy, len(all))
	for _, m := range all {
		m.delete()
	}
}

// kill ends the daemon as kill -9 does, and forgets its log.
func (b *bench) kill() {
	b.cloud.Kill()
	b.must(os.Truncate(b.cloud.LogPath(), 0))
	b.api.http.CloseIdleConnections()
}

// pids are the processes of machines.
func pids(b *bench, all []*machine) string {
	var out []string
	for _, m := range all {
		p, err := m.process()
		b.must(err)
		out = append(out, fmt.Sprint(p.PID))
	}
	return strings.Join(out, " ")
}

// restart starts a daemon in place of one that was killed, and returns how long
// it takes until its node is linked and has taken hold of the machines, and the
// API says that they run.
func (b *bench) restart(all []*machine) time.Duration {
	from := time.Now()
	b.must(b.cloud.Start())
	b.must(b.await(func() error {
		if err := hasText(b.cloud.LogPath(), `msg="node linked"`); err != nil {
			return err
		}
		if n := len(b.attachedAt()); n < len(all) {
			return fmt.Errorf("%d machines are held", n)
		}
		return nodeOffers(b.ctx, b.api)
	}))
	for _, m := range all {
		b.must(b.await(m.running))
	}
	return time.Since(from)
}

// attachedAt is when the daemon said of each machine that it holds it.
func (b *bench) attachedAt() (all []time.Time) {
	log, err := os.ReadFile(b.cloud.LogPath())
	b.must(err)
	for line := range strings.Lines(string(log)) {
		stamp, rest, _ := strings.Cut(strings.TrimPrefix(line, "time="), " ")
		if at, err := time.Parse(time.RFC3339, stamp); err == nil && strings.Contains(rest, "msg=re-attached ") {
			all = append(all, at)
		}
	}
	return all
}
