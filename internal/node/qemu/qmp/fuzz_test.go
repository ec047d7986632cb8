package qmp

import (
	"bufio"
	"bytes"
	"testing"
)

func FuzzReadMessage(f *testing.F) {
	for _, seed := range []string{
		greeting + "\r\n",
		`{"return": {}, "id": 1}` + "\n",
		`{"return": null, "id": 1}` + "\n",
		`{"error": {"class": "GenericError", "desc": "no"}, "id": 2}` + "\n",
		`{"event": "RESET", "data": {"guest": true}, "timestamp": {"seconds": 1, "microseconds": 2}}` + "\n{}",
		`{"id": -1, "return": []}` + "\n",
		"",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bufio.NewReaderSize(bytes.NewReader(data), 16)
		for {
			m, err := readMessage(r)
			if err != nil {
				return
			}
			if m.Greeting == nil && m.Return == nil && m.Error == nil && m.Event == "" {
				t.Fatalf("accepted a message of no kind: %q", data)
			}
			m.toEvent()
		}
	})
}
