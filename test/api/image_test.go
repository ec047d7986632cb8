package api_test

import (
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
)

// The document of aliases needs no token and no version, as az asks for it, and
// what it names is there.
func TestImageAliases(t *testing.T) {
	c := newCloud(t).furnished()
	where, _ := c.want(200, "GET", "/metadata/endpoints?api-version=2022-09-01", "", "Authorization", "").get("vmImageAliasDoc").(string)
	if !strings.HasPrefix(where, c.Endpoint+"/metadata/") {
		t.Fatalf("the document is said to be at %q", where)
	}
	doc := c.want(200, "GET", where+"?", "", "Authorization", "")
	for alias, urn := range map[string]string{
		"Debian": "Debian:debian-12:12:latest", "Debian12": "Debian:debian-12:12:latest", "Debian12Gen2": "Debian:debian-12:12-gen2:latest", "Tiny": "Lazuli:tiny:1:latest",
	} {
		var parts []string
		for _, p := range []string{"publisher", "offer", "sku", "version"} {
			s, _ := doc.get("outputs.aliases.value.Linux." + alias + "." + p).(string)
			parts = append(parts, s)
		}
		if got := strings.Join(parts, ":"); got != urn {
			t.Errorf("%s is %s, want %s", alias, got, urn)
		}
		c.want(200, "GET", c.provider("Compute", "locations/local/publishers/"+parts[0]+"/artifacttypes/vmimage/offers/"+parts[1]+"/skus/"+parts[2]+"/versions/"+parts[3]), "")
	}
	c.refused(405, "HttpMethodNotSupported", "POST", where+"?", "{}", "Authorization", "")
	c.refused(404, "NotFound", "GET", "/metadata/aliases?", "", "Authorization", "")
}

// Whoever asks for an image that there is not is told which there are.
func TestImagesThatAreNot(t *testing.T) {
	s := newCloud(t).furnished().sdk()
	images := s.compute.NewVirtualMachineImagesClient()
	_, err := images.List(t.Context(), "local", "Debian", "debian-10", "10", &armcompute.VirtualMachineImagesClientListOptions{Top: ptr[int32](1), Orderby: ptr("name desc")})
	if err == nil || !strings.Contains(err.Error(), "NotFound") || !strings.Contains(err.Error(), "Debian:debian-12:12") {
		t.Errorf("versions of Debian 10: %v", err)
	}
	r := s.do("PUT", s.cloud.compute("virtualMachines/vm"), s.vmBody("nic1").with("properties.storageProfile.imageReference.offer", "debian-10").String())
	if r.StatusCode != 404 || r.code() != "PlatformImageNotFound" || !strings.Contains(string(r.body), "Debian:debian-12:12") {
		t.Errorf("a machine of Debian 10 = %d %s", r.StatusCode, r.body)
	}
	newest := must(images.List(t.Context(), "local", "debian", "Debian-12", "12", &armcompute.VirtualMachineImagesClientListOptions{Top: ptr[int32](1), Orderby: ptr("name desc")}))(t)
	if len(newest.VirtualMachineImageResourceArray) != 1 {
		t.Errorf("the newest = %+v", newest)
	}
}
