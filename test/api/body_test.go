package api_test

import (
	"os"
	"strings"
	"testing"
)

// testdata/bodies is what az was seen to send to Azure, for the subscription
// recordedSubscription and the group rg1. What this cloud has takes it as it is;
// the rest is refused by what is not there.
func TestRecordedBodies(t *testing.T) {
	c := newCloud(t)
	const recordedSubscription = "11111111-2222-3333-4444-555555555555"
	c.want(201, "PUT", c.group("rg1"), `{"location":"local"}`)
	compute, network := c.group("rg1")+"/providers/Microsoft.Compute/", c.group("rg1")+"/providers/Microsoft.Network/"
	c.done("PUT", compute+"disks/vm1_OsDisk_1", c.diskBody().String())
	for _, tt := range []struct { // in this order: one needs the other
		body, method, path string
		status             int
		code               string
	}{
		{"vnetcreate", "PUT", network + "virtualNetworks/net1", 201, ""},
		{"subnetcreate", "PUT", network + "virtualNetworks/net1/subnets/sn2", 201, ""},
		{"nsgcreate", "PUT", network + "networkSecurityGroups/nsg1", 201, ""},
		{"nsgrulecreate", "PUT", network + "networkSecurityGroups/nsg1/securityRules/ssh", 201, ""},
		{"publicipcreate", "PUT", network + "publicIPAddresses/ip1", 201, ""},
		{"niccreate", "PUT", network + "networkInterfaces/nic1", 201, ""},
		{"diskcreate", "PUT", compute + "disks/d1", 202, ""},
		{"diskcreate-upload", "PUT", compute + "disks/up", 400, "UnsupportedProperty"},
		{"diskcreate-from-snapshot", "PUT", compute + "disks/d2", 400, "LinkedInvalidPropertyId"},
		{"snapshotcreate", "PUT", compute + "snapshots/s1", 404, "InvalidResourceType"},
		{"imagecreate-from-snapshot", "PUT", compute + "images/i1", 400, "UnsupportedProperty"},
		{"diskgrant", "POST", compute + "disks/vm1_OsDisk_1/beginGetAccess", 409, "OperationNotAllowed"},
	} {
		t.Run(tt.body, func(t *testing.T) {
			c := c.in(t)
			b, err := os.ReadFile("testdata/bodies/" + tt.body + ".json")
			if err != nil {
				t.Fatal(err)
			}
			r := c.do(tt.method, tt.path, strings.ReplaceAll(string(b), recordedSubscription, c.SubscriptionID))
			if r.StatusCode != tt.status || r.code() != tt.code {
				t.Fatalf("= %d %s (%.300s), want %d %s", r.StatusCode, r.code(), r.body, tt.status, tt.code)
			}
			if last := c.await(r); tt.status < 300 && last != nil && last.get("status") != "Succeeded" {
				t.Errorf("came to %s", last.body)
			}
		})
	}
}
