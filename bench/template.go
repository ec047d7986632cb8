package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"lazuli/internal/template"
	"lazuli/internal/template/jsonc"
)

// nics is how many network interfaces the template has: with what they are in,
// as many resources as ARM takes.
const nics = 798

// template evaluates the largest template that ARM takes: reading, planning and
// every body. Its peer is the JSON decoder of Go's library on the same text.
func (b *bench) template() {
	text := []byte(nicTemplate())
	var cpu pairs[time.Duration]
	var memory []float64
	for range b.rounds {
		var made uint64
		ours := b.processor(func() { made = b.evaluate(text) })
		peer := b.processor(func() {
			var tree any
			b.must(json.Unmarshal(text, &tree))
		})
		cpu.add(ours, peer)
		memory = append(memory, float64(made)/float64(len(text)))
	}
	b.add(fmt.Sprintf("template of 800 resources, %d KiB: processor time", len(text)>>10), ms(median(cpu.ours)),
		"encoding/json "+ms(median(cpu.peers)), cpu.ratio(), "<= 200 ms")
	b.add("of that, memory that it takes in all", fmt.Sprintf("%.1f times the template", median(memory)), "", "-", "<= 20")
}

// evaluate does with a template all that a deployment does, and says how many
// bytes it took.
func (b *bench) evaluate(text []byte) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	t, err := template.Parse(text)
	b.must(err)
	plan, err := t.Plan(b.ctx, template.Input{
		Name: "bench", Scope: template.Scope{Subscription: "s", ResourceGroup: "g"},
		ResourceGroup: jsonc.NewObject("id", "/subscriptions/s/resourceGroups/g", "location", "local"),
	})
	b.must(err)
	for _, r := range plan.Resources {
		body, err := plan.Body(b.ctx, r, nil)
		b.must(err)
		jsonc.Append(nil, body)
	}
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// processor is the processor time of this process in f. Of garbage that was
// there before, it counts none.
func (b *bench) processor(f func()) time.Duration {
	runtime.GC()
	var from, to unix.Rusage
	b.must(unix.Getrusage(unix.RUSAGE_SELF, &from))
	f()
	b.must(unix.Getrusage(unix.RUSAGE_SELF, &to))
	return time.Duration(to.Utime.Nano() + to.Stime.Nano() - from.Utime.Nano() - from.Stime.Nano())
}

func nicTemplate() string {
	nic := `{
    "type": "Microsoft.Network/networkInterfaces", "apiVersion": "2023-09-01",
    "name": "[format('{0}-nic%d', parameters('prefix'))]", "location": "[parameters('location')]",
    "dependsOn": ["[resourceId('Microsoft.Network/virtualNetworks', variables('vnet'))]", "[resourceId('Microsoft.Network/networkSecurityGroups', variables('nsg'))]"],
    "tags": {"owner": "[concat(parameters('prefix'), '-', uniqueString(resourceGroup().id))]"},
    "properties": {
      "ipConfigurations": [{"name": "ipconfig1", "properties": {
        "privateIPAllocationMethod": "Static", "privateIPAddress": "[cidrHost('10.0.0.0/16', %[1]d)]",
        "subnet": {"id": "[resourceId('Microsoft.Network/virtualNetworks/subnets', variables('vnet'), 'default')]"}
      }}],
      "networkSecurityGroup": {"id": "[resourceId('Microsoft.Network/networkSecurityGroups', variables('nsg'))]"}
    }
  }`
	var all strings.Builder
	for i := range nics {
		all.WriteString(",\n  " + fmt.Sprintf(nic, i+4))
	}
	return `{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#", "contentVersion": "1.0.0.0",
  "parameters": {"prefix": {"type": "string", "defaultValue": "bench"}, "location": {"type": "string", "defaultValue": "[resourceGroup().location]"}},
  "variables": {"vnet": "[concat(parameters('prefix'), '-vnet')]", "nsg": "[concat(parameters('prefix'), '-nsg')]"},
  "resources": [
  {"type": "Microsoft.Network/networkSecurityGroups", "apiVersion": "2023-09-01", "name": "[variables('nsg')]", "location": "[parameters('location')]"},
  {"type": "Microsoft.Network/virtualNetworks", "apiVersion": "2023-09-01", "name": "[variables('vnet')]", "location": "[parameters('location')]"}` +
		all.String() + "\n]}"
}
