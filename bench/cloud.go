package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"lazuli/internal/fabric"
	"lazuli/internal/image"
	"lazuli/test/e2e/cloudtest"
)

// bench is what the parts share: one cloud, made when the first asks for it.
type bench struct {
	options
	table
	t   *tb
	ctx context.Context

	cloud *cloudtest.Cloud
	api   *client
	key   key
}

// must ends the part.
func (b *bench) must(err error) {
	if err != nil {
		b.t.Fatal(err)
	}
}

// up runs the cloud, with the images tiny and blank and the networks that its
// machines use.
func (b *bench) up() {
	if b.api != nil {
		return
	}
	c := cloudtest.New(b.t)
	b.must(addBlank(b.ctx, c.Dir))
	if b.options.debian {
		b.must(addDebian(c.Dir))
	}
	c.Up()
	api, err := newClient(c)
	b.must(err)
	b.cloud = c
	b.must(b.await(func() error { return nodeOffers(b.ctx, api) }))
	b.key, err = newKey()
	b.must(err)
	b.must(furnish(b.ctx, api, b.machines))
	b.api = api
}

// nodeOffers says whether the node has told of its images.
func nodeOffers(ctx context.Context, a *client) error {
	path := "/subscriptions/" + a.admin.SubscriptionID + "/providers/Microsoft.Compute/locations/" + a.admin.Location + "/publishers"
	status, body, err := a.ask(ctx, http.MethodGet, path, nil)
	if err == nil && (status != http.StatusOK || len(body) < 10) {
		err = fmt.Errorf("status %d: %s", status, body)
	}
	return err
}

const blank = "blank"

// addBlank puts an image into the catalogue that nothing boots from: the
// firmware of its machines halts, so that many take no time from each other.
func addBlank(ctx context.Context, dir string) error {
	c, err := image.Open(filepath.Join(dir, "images"))
	if err != nil {
		return err
	}
	const size = 64 << 20
	file := filepath.Join(dir, "blank.qcow2")
	if err := command(ctx, "qemu-img", "create", "-q", "-f", "qcow2", file, fmt.Sprint(size)); err != nil {
		return err
	}
	return c.Install(ctx, fabric.NodeImage{
		Name: blank, Publisher: "Lazuli", Offer: blank, SKU: "1", Version: "1.0.0", OSType: "Linux",
		Firmware: []fabric.Firmware{fabric.BIOS}, SizeBytes: size,
	}, file)
}

// await calls f, often, until it has no error, patience is at its end or the
// program is to end.
func (b *bench) await(f func() error) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(cloudtest.Patience)
	for {
		err := f()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-deadline:
			return fmt.Errorf("not yet: %w", err)
		case <-b.ctx.Done():
			return b.ctx.Err()
		}
	}
}

// hasText says whether a file that grows has the text by now.
func hasText(path, text string) error {
	b, err := os.ReadFile(path)
	if err == nil && !strings.Contains(string(b), text) {
		err = errors.New(text + " is not in " + path)
	}
	return err
}

// doc is JSON.
type doc = map[string]any

// furnish makes a group, a network that lets everything in, and interfaces: nic
// with a public address, and n without.
func furnish(ctx context.Context, a *client, n int) error {
	put := func(kind, name string, properties doc) error {
		_, err := a.put(ctx, a.id("Network/"+kind, name), doc{"location": a.admin.Location, "properties": properties})
		return err
	}
	_, err := a.put(ctx, a.group("bench"), doc{"location": a.admin.Location})
	err = errors.Join(err, put("networkSecurityGroups", "nsg", doc{"securityRules": []doc{{"name": "all", "properties": doc{
		"priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "*", "sourcePortRange": "*",
		"sourceAddressPrefix": "*", "destinationAddressPrefix": "*", "destinationPortRange": "*",
	}}}}))
	err = errors.Join(err, put("virtualNetworks", "net", doc{
		"addressSpace": doc{"addressPrefixes": []string{"10.0.0.0/16"}},
		"subnets":      []doc{{"name": "sn", "properties": doc{"addressPrefix": "10.0.0.0/24"}}},
	}), put("publicIPAddresses", "pip", doc{"publicIPAllocationMethod": "Static"}))
	for i := -1; i < n; i++ {
		name, config := nicName(i), doc{"subnet": doc{"id": a.id("Network/virtualNetworks", "net") + "/subnets/sn"}}
		if i < 0 {
			config["publicIPAddress"] = doc{"id": a.id("Network/publicIPAddresses", "pip")}
		}
		err = errors.Join(err, put("networkInterfaces", name, doc{
			"networkSecurityGroup": doc{"id": a.id("Network/networkSecurityGroups", "nsg")},
			"ipConfigurations":     []doc{{"name": "ip", "properties": config}},
		}))
	}
	return err
}

// nicName is that of an interface; -1 has the public address.
func nicName(i int) string {
	if i < 0 {
		return "nic"
	}
	return fmt.Sprintf("nic%d", i)
}

// publicIP is the address of nic -1.
func (b *bench) publicIP() string {
	_, body, err := b.api.ask(b.ctx, http.MethodGet, b.api.id("Network/publicIPAddresses", "pip"), nil)
	b.must(err)
	var r struct{ Properties struct{ IPAddress string } }
	b.must(json.Unmarshal(body, &r))
	return r.Properties.IPAddress
}
