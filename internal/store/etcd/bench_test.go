package etcd_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"

	"lazuli/internal/store"
	"lazuli/internal/store/etcd"
)

// BenchmarkUpdate reads a key and writes it with 1 KiB, as most of what the
// control plane does; BenchmarkRaw is the same in etcd's own words, and with
// three operations, as the figure to compare with.
func BenchmarkUpdate(b *testing.B) {
	value := make([]byte, 1024)
	clients(b, func(s *etcd.Store, key string) error {
		_, err := s.Update(context.Background(), func(tx store.Tx) error {
			tx.Get(context.Background(), key)
			tx.Put(key, value)
			return nil
		})
		return err
	})
}

func BenchmarkRaw(b *testing.B) {
	value := string(make([]byte, 1024))
	clients(b, func(s *etcd.Store, key string) error {
		_, err := etcd.Client(s).Txn(context.Background()).
			If(clientv3.Compare(clientv3.ModRevision(key), ">", -1)).
			Then(clientv3.OpPut(key, value), clientv3.OpPut(key+".op", value), clientv3.OpGet(key)).
			Commit()
		return err
	})
}

// clients runs f from 1 and from 64 clients, each with keys of its own.
func clients(b *testing.B, f func(s *etcd.Store, key string) error) {
	for _, n := range []int{1, 64} {
		b.Run(fmt.Sprint("clients=", n), func(b *testing.B) {
			s, err := etcd.Open(b.Context(), etcd.Options{Dir: b.TempDir()})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			share(b, n, func(client, i int) error { return f(s, fmt.Sprintf("bench/%d/%d", client, i%100)) })
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "txn/s")
		})
	}
}

// share runs f b.N times from n goroutines.
func share(b *testing.B, n int, f func(client, i int) error) {
	var next atomic.Int64
	done := make(chan error, n)
	b.ResetTimer()
	for client := range n {
		go func() {
			for {
				i := int(next.Add(1))
				if i > b.N {
					done <- nil
					return
				}
				if err := f(client, i); err != nil {
					done <- err
					return
				}
			}
		}()
	}
	for range n {
		if err := <-done; err != nil {
			b.Error(err)
		}
	}
	b.StopTimer()
}

// BenchmarkOpen opens a store of 10,000 keys.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	for b.Loop() {
		s, err := etcd.Open(b.Context(), etcd.Options{Dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		for i := 0; i < 10_000; i += 1000 {
			_, err := s.Update(b.Context(), func(tx store.Tx) error {
				for k := range 1000 {
					tx.Put(fmt.Sprint("k", i+k), make([]byte, 1024))
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
		s.Close()
		b.StartTimer()
	}
}
