package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// machine is one of the cloud's.
type machine struct {
	b        *bench
	path     string
	uid      string
	askedAt  time.Time
	answered time.Duration // what the API took to acknowledge it
}

// imageOf is a reference to an image of the catalogue.
func imageOf(name string) doc {
	if name == debianImage {
		return doc{"publisher": "Debian", "offer": name, "sku": "12", "version": "latest"}
	}
	return doc{"publisher": "Lazuli", "offer": name, "sku": "1", "version": "latest"}
}

// create asks for a machine and does not wait for it.
func (b *bench) create(name, image, size string, nic int) *machine {
	m := &machine{b: b, path: b.api.id("Compute/virtualMachines", name), askedAt: time.Now()}
	body, err := b.api.put(b.ctx, m.path, doc{"location": b.api.admin.Location, "properties": doc{
		"hardwareProfile": doc{"vmSize": size},
		"networkProfile":  doc{"networkInterfaces": []doc{{"id": b.api.id("Network/networkInterfaces", nicName(nic))}}},
		"osProfile": doc{"computerName": name, "adminUsername": "azureuser", "linuxConfiguration": doc{
			"disablePasswordAuthentication": true,
			"ssh":                           doc{"publicKeys": []doc{{"path": "/home/azureuser/.ssh/authorized_keys", "keyData": b.key.public}}},
		}},
		"storageProfile": doc{
			"imageReference": imageOf(image),
			"osDisk":         doc{"name": name + "-os", "createOption": "FromImage", "deleteOption": "Delete"},
		},
	}})
	m.answered = time.Since(m.askedAt)
	b.must(err)
	var r struct{ Properties struct{ VMID string } }
	b.must(json.Unmarshal(body, &r))
	m.uid = r.Properties.VMID
	return m
}

func (m *machine) file(name string) string {
	return filepath.Join(m.b.cloud.Dir, "machines", m.uid, name)
}

// process is what the node wrote down of the machine's QEMU.
type process struct {
	PID       int       `json:"pid"`
	StartedAt time.Time `json:"startedAt"`
}

func (m *machine) process() (process, error) {
	var h struct{ Process *process }
	b, err := os.ReadFile(m.file("handle.json"))
	if err == nil {
		err = json.Unmarshal(b, &h)
	}
	if err == nil && h.Process == nil {
		err = fmt.Errorf("machine %s has no process", m.uid)
	}
	if err != nil {
		return process{}, err
	}
	return *h.Process, nil
}

// power is the state that the API tells of: "running".
func (m *machine) power() (string, error) {
	_, body, err := m.b.api.ask(m.b.ctx, http.MethodGet, m.path+"/instanceView", nil)
	if err != nil {
		return "", err
	}
	var r struct{ Statuses []struct{ Code string } }
	if err := json.Unmarshal(body, &r); err != nil {
		return "", err
	}
	const kind = "PowerState/"
	for _, s := range r.Statuses {
		if len(s.Code) > len(kind) && s.Code[:len(kind)] == kind {
			return s.Code[len(kind):], nil
		}
	}
	return "", nil
}

func (m *machine) running() error {
	p, err := m.power()
	if err == nil && p != "running" {
		err = fmt.Errorf("machine is %q", p)
	}
	return err
}

// delete deletes the machine and returns how long it was there still.
func (m *machine) delete() time.Duration {
	b, from := m.b, time.Now()
	status, body, err := b.api.ask(b.ctx, http.MethodDelete, m.path, nil)
	b.must(err)
	if status >= 300 {
		b.t.Fatalf("delete: status %d: %s", status, body)
	}
	b.must(b.await(func() error {
		status, _, err := b.api.ask(b.ctx, http.MethodGet, m.path, nil)
		if err == nil && status != http.StatusNotFound {
			err = fmt.Errorf("status %d", status)
		}
		return err
	}))
	return time.Since(from)
}
