package template

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"lazuli/internal/template/jsonc"
)

// nics is a template of n network interfaces as az and Azure's quickstart
// templates write them: one after the other, or by a loop.
func nics(n int, loop bool) string {
	nic := func(index, copy string) string {
		return `
    {
      "type": "Microsoft.Network/networkInterfaces",
      "apiVersion": "2023-09-01",
      "name": "[format('{0}-nic{1}', parameters('prefix'), ` + index + `)]",
      "location": "[parameters('location')]",` + copy + `
      "dependsOn": [
        "[resourceId('Microsoft.Network/virtualNetworks', variables('vnetName'))]",
        "[resourceId('Microsoft.Network/networkSecurityGroups', variables('nsgName'))]"
      ],
      "tags": {
        "owner": "[concat(parameters('prefix'), '-', uniqueString(resourceGroup().id))]",
        "number": "[string(` + index + `)]"
      },
      "properties": {
        "ipConfigurations": [
          {
            "name": "ipconfig1",
            "properties": {
              "privateIPAllocationMethod": "Static",
              "privateIPAddress": "[cidrHost('10.0.0.0/16', add(` + index + `, 4))]",
              "subnet": {
                "id": "[resourceId('Microsoft.Network/virtualNetworks/subnets', variables('vnetName'), variables('subnetName'))]"
              }
            }
          }
        ],
        "networkSecurityGroup": {
          "id": "[resourceId('Microsoft.Network/networkSecurityGroups', variables('nsgName'))]"
        },
        "enableAcceleratedNetworking": "[and(parameters('accelerate'), equals(mod(` + index + `, 2), 0))]"
      }
    }`
	}
	var list []string
	if loop {
		list = append(list, nic("copyIndex()", fmt.Sprintf(`"copy": {"name": "nics", "count": %d},`, n-2)))
	} else {
		for i := range n - 2 {
			list = append(list, nic(fmt.Sprint(i), ""))
		}
	}
	return `{
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "parameters": {
    "prefix": {"type": "string", "maxLength": 20, "defaultValue": "bench"},
    "location": {"type": "string", "defaultValue": "[resourceGroup().location]"},
    "accelerate": {"type": "bool", "defaultValue": true}
  },
  "variables": {
    "vnetName": "[concat(parameters('prefix'), '-vnet')]",
    "nsgName": "[concat(parameters('prefix'), '-nsg')]",
    "subnetName": "default"
  },
  "resources": [
    {"type": "Microsoft.Network/networkSecurityGroups", "apiVersion": "2023-09-01", "name": "[variables('nsgName')]", "location": "[parameters('location')]"},
    {"type": "Microsoft.Network/virtualNetworks", "apiVersion": "2023-09-01", "name": "[variables('vnetName')]", "location": "[parameters('location')]"},` +
		strings.Join(list, ",") + `
  ]
}`
}

// evaluateAll does all that a deployment does with a template: reading,
// planning, and each body. It returns the size of the bodies.
func evaluateAll(tb testing.TB, text []byte) (p *Plan, expanded int) {
	t, err := Parse(text)
	if err != nil {
		tb.Fatal(err)
	}
	if p, err = t.Plan(context.Background(), testInput("")); err != nil {
		tb.Fatal(err)
	}
	var buffer []byte
	for _, r := range p.Resources {
		body, err := p.Body(context.Background(), r, nil)
		if err != nil {
			tb.Fatal(err)
		}
		buffer = jsonc.Append(buffer[:0], body)
		expanded += len(buffer)
	}
	return p, expanded
}

// cpuTime is what this process has used of processors, garbage collection
// included. It does not count the time of others, as a clock does.
func cpuTime(tb testing.TB) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

func BenchmarkNICs(b *testing.B) {
	for name, loop := range map[string]bool{"loop": true, "written out": false} {
		b.Run(name, func(b *testing.B) {
			text := []byte(nics(800, loop))
			b.ReportAllocs()
			before := cpuTime(b)
			for b.Loop() {
				evaluateAll(b, text)
			}
			b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N)/1e6, "cpu-ms/op")
			b.ReportMetric(float64(len(text)), "template-bytes")
		})
	}
}

// TestMemory keeps what an evaluation makes, and what a plan keeps, within
// twenty times the size of the template with its loops written out.
func TestMemory(t *testing.T) {
	written := len(nics(800, false))
	for name, loop := range map[string]bool{"loop": true, "written out": false} {
		t.Run(name, func(t *testing.T) {
			text := []byte(nics(800, loop))
			var before, after, kept runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			p, expanded := evaluateAll(t, text)
			runtime.ReadMemStats(&after)
			runtime.GC()
			runtime.ReadMemStats(&kept)
			if len(p.Resources) != 800 {
				t.Fatalf("%d resources", len(p.Resources))
			}
			made := int(after.TotalAlloc - before.TotalAlloc)
			keeps := int(kept.HeapAlloc) - int(before.HeapAlloc)
			t.Logf("template %d bytes, written out %d, expanded %d: made %d (%.1f times), keeps %d (%.1f times)",
				len(text), written, expanded, made, float64(made)/float64(written), keeps, float64(keeps)/float64(written))
			if made > 20*written {
				t.Errorf("evaluation makes %d bytes, more than 20 times %d", made, written)
			}
			if keeps > 5*written {
				t.Errorf("the plan keeps %d bytes, more than 5 times %d", keeps, written)
			}
			runtime.KeepAlive(p)
		})
	}
}
