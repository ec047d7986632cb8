package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/xml"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/insomniacslk/dhcp/dhcpv4"
)

func environmentOf(set, platform string) string {
	return `<?xml version="1.0" encoding="utf-8"?>
<Environment xmlns="http://schemas.dmtf.org/ovf/environment/1" xmlns:wa="http://schemas.microsoft.com/windowsazure">
<wa:ProvisioningSection><wa:Version>1.0</wa:Version>` + set + `</wa:ProvisioningSection>
<wa:PlatformSettingsSection><wa:Version>1.0</wa:Version>` + platform + `</wa:PlatformSettingsSection></Environment>`
}

const (
	fullSet = `<LinuxProvisioningConfigurationSet xmlns="http://schemas.microsoft.com/windowsazure"><HostName>web1</HostName><UserName>ann</UserName>
<UserPassword>p&amp;w</UserPassword><DisableSshPasswordAuthentication>false</DisableSshPasswordAuthentication>
<SSH><PublicKeys><PublicKey><Path>/home/ann/.ssh/authorized_keys</Path><Value>ssh-ed25519 AAAA</Value></PublicKey></PublicKeys></SSH>
<CustomData>aGVsbG8=</CustomData></LinuxProvisioningConfigurationSet>`
	fullPlatform = `<PlatformSettings xmlns="http://schemas.microsoft.com/windowsazure"><PreprovisionedVm>false</PreprovisionedVm></PlatformSettings>`
)

func TestParseEnvironment(t *testing.T) {
	got, err := parseEnvironment([]byte(environmentOf(fullSet, fullPlatform)))
	want := environment{HostName: "web1", UserName: "ann", Password: "p&w", CustomData: []byte("hello"),
		Keys: []authorizedKey{{"/home/ann/.ssh/authorized_keys", "ssh-ed25519 AAAA"}}}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(d, err)
	}
}

func TestParseEnvironmentRefuses(t *testing.T) {
	for name, doc := range map[string]string{
		"no XML":            "hello",
		"another namespace": strings.ReplaceAll(environmentOf(fullSet, fullPlatform), "dmtf", "x"),
		"no set":            environmentOf("", fullPlatform),
		"no platform":       environmentOf(fullSet, ""),
		"no host name":      environmentOf(strings.Replace(fullSet, "web1", "", 1), fullPlatform),
		"no user":           environmentOf(strings.Replace(fullSet, "<UserName>ann", "<UserName>", 1), fullPlatform),
		"bad custom data":   environmentOf(strings.Replace(fullSet, "aGVsbG8=", "!", 1), fullPlatform),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := parseEnvironment([]byte(doc)); err == nil {
				t.Error("no error")
			}
		})
	}
}

func FuzzParseEnvironment(f *testing.F) {
	f.Add([]byte(environmentOf(fullSet, fullPlatform)))
	f.Fuzz(func(t *testing.T, b []byte) {
		if env, err := parseEnvironment(b); err == nil && (env.HostName == "" || env.UserName == "") {
			t.Error("no name is taken for one")
		}
	})
}

func TestHealthIsWhatCloudInitSends(t *testing.T) {
	for name, tc := range map[string]struct {
		h    health
		want string
	}{
		"ready": {health{Incarnation: "1", ContainerID: "c", InstanceID: "i", State: "Ready"},
			"<Health><GoalStateIncarnation>1</GoalStateIncarnation><Container><ContainerId>c</ContainerId><RoleInstanceList><Role><InstanceId>i</InstanceId><Health><State>Ready</State></Health></Role></RoleInstanceList></Container></Health>"},
		"failed": {health{Incarnation: "1", ContainerID: "c", InstanceID: "i", State: "NotReady", Details: &details{"ProvisioningFailed", "why"}},
			"<Health><GoalStateIncarnation>1</GoalStateIncarnation><Container><ContainerId>c</ContainerId><RoleInstanceList><Role><InstanceId>i</InstanceId><Health><State>NotReady</State><Details><SubStatus>ProvisioningFailed</SubStatus><Description>why</Description></Details></Health></Role></RoleInstanceList></Container></Health>"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := xml.Marshal(tc.h)
			if d := cmp.Diff(tc.want, string(got)); d != "" || err != nil {
				t.Error(d, err)
			}
		})
	}
}

func superblockOf(state uint16, incompat uint32) []byte {
	b := make([]byte, 1024)
	binary.LittleEndian.PutUint16(b[0x38:], 0xef53)
	binary.LittleEndian.PutUint16(b[0x3a:], state)
	binary.LittleEndian.PutUint32(b[0x60:], incompat)
	for i := range 16 {
		b[0x68+i] = byte(i)
	}
	return b
}

func TestParseSuperblock(t *testing.T) {
	const id = "00010203-0405-0607-0809-0a0b0c0d0e0f"
	for name, tc := range map[string]struct {
		b    []byte
		want superblock
		ok   bool
	}{
		"clean":          {superblockOf(1, 0x40), superblock{uuid: id}, true},
		"to be replayed": {superblockOf(1, 0x44), superblock{uuid: id, dirty: true}, true},
		"mounted":        {superblockOf(0, 0x40), superblock{uuid: id, dirty: true}, true},
		"broken":         {superblockOf(3, 0x40), superblock{uuid: id, errored: true}, true},
		"no magic":       {make([]byte, 1024), superblock{}, false},
		"short":          {superblockOf(1, 0)[:1000], superblock{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := parseSuperblock(tc.b)
			if ok != tc.ok || got != tc.want {
				t.Errorf("got %+v, %v", got, ok)
			}
		})
	}
}

func FuzzParseSuperblock(f *testing.F) {
	f.Add(superblockOf(1, 4))
	f.Fuzz(func(t *testing.T, b []byte) {
		if sb, ok := parseSuperblock(b); ok && len(sb.uuid) != 36 {
			t.Errorf("uuid %q", sb.uuid)
		}
	})
}

func records(numbers ...int64) string {
	var b strings.Builder
	for _, n := range numbers {
		b.Write(record(n))
	}
	return b.String()
}

func TestVerify(t *testing.T) {
	zeros := strings.Repeat("\x00", recordSize)
	for name, tc := range map[string]struct {
		log  string
		last int64
		ok   bool
	}{
		"nothing":                {"", 0, true},
		"in order":               {records(1, 2, 3), 3, true},
		"a short last record":    {records(1, 2, 3)[:2*recordSize+5], 2, true},
		"a torn last record":     {records(1, 2) + "000000000003 junkjun\n", 2, true},
		"zeros at the end":       {records(1) + zeros, 1, true},
		"a gap":                  {records(1, 3), 1, false},
		"again":                  {records(1, 1), 1, false},
		"lost among others":      {records(1) + zeros + records(3), 1, false},
		"lost, and kept beyond":  {records(1) + zeros + records(2), 1, false},
		"does not begin with 1":  {records(2), 0, false},
		"twice something broken": {records(1) + zeros + zeros, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			last, err := verify(strings.NewReader(tc.log))
			if last != tc.last || (err == nil) != tc.ok {
				t.Errorf("verify = %d, %v, want %d, ok = %v", last, err, tc.last, tc.ok)
			}
		})
	}
}

func FuzzVerify(f *testing.F) {
	f.Add([]byte(records(1, 2, 3)))
	f.Fuzz(func(t *testing.T, b []byte) {
		last, _ := verify(bytes.NewReader(b))
		if last*recordSize > int64(len(b)) {
			t.Errorf("%d records in %d bytes", last, len(b))
		}
	})
}

func TestLogGoesOnAfterTheLastGoodRecord(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte(records(1, 2)+"000000000003 torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want := range int64(3) {
		l, err := openLog(path)
		if err != nil || l.last != 2+want {
			t.Fatalf("last = %v, %v, want %d", l, err, 2+want)
		}
		if err := l.append(); err != nil {
			t.Fatal(err)
		}
		l.file.Close()
	}
	if err := os.WriteFile(path, []byte(records(1, 3)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openLog(path); err == nil {
		t.Error("a log with a gap was opened")
	}
}

func TestRoutes(t *testing.T) {
	ip := func(s string) net.IP { return net.ParseIP(s).To4() }
	dest := func(s string) *net.IPNet {
		_, n, err := net.ParseCIDR(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for name, tc := range map[string]struct {
		options []dhcpv4.Modifier
		want    []string
	}{
		"option 121 makes option 3 void": {[]dhcpv4.Modifier{dhcpv4.WithRouter(ip("10.0.0.9")), dhcpv4.WithOption(dhcpv4.OptClasslessStaticRoute(
			&dhcpv4.Route{Dest: dest("0.0.0.0/0"), Router: ip("10.0.0.1")}, &dhcpv4.Route{Dest: dest("168.63.129.16/32"), Router: ip("10.0.0.1")}))},
			[]string{"default via 10.0.0.1", "168.63.129.16/32 via 10.0.0.1"}},
		"on the link": {[]dhcpv4.Modifier{dhcpv4.WithOption(dhcpv4.OptClasslessStaticRoute(
			&dhcpv4.Route{Dest: dest("10.1.0.0/16"), Router: net.IPv4zero.To4()}))}, []string{"10.1.0.0/16 via <nil>"}},
		"option 3": {[]dhcpv4.Modifier{dhcpv4.WithRouter(ip("10.0.0.9"))}, []string{"default via 10.0.0.9"}},
		"none":     {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			ack, err := dhcpv4.New(tc.options...)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range routes(ack) {
				to := "default"
				if r.Dst != nil {
					to = r.Dst.String()
				}
				got = append(got, to+" via "+r.Gw.String())
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestDataDisksByTheirSerial(t *testing.T) {
	sys := t.TempDir()
	for path, content := range map[string]string{
		"vda/serial": "os\n", "vdb/serial": "lun0\n", "sdc/device/vpd_pg80": "\x00\x80\x00\x05lun63", "sdd/device/vpd_pg80": "\x00", "loop0/size": "0",
	} {
		p := filepath.Join(sys, path)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]string{"lun0": "/dev/vdb", "lun63": "/dev/sdc"}
	if d := cmp.Diff(want, dataDisks(sys)); d != "" {
		t.Error(d)
	}
}

func TestAcksTellWhatChanged(t *testing.T) {
	a := newAcks()
	a.set("root", 1)
	a.set("lun0", 0)
	if d := cmp.Diff(map[string]int64{"root": 1, "lun0": 0}, a.wait(map[string]int64{})); d != "" {
		t.Error(d)
	}
	done := make(chan map[string]int64)
	go func() { done <- a.wait(map[string]int64{"root": 1, "lun0": 0}) }()
	a.set("root", 2)
	if d := cmp.Diff(map[string]int64{"root": 2}, <-done); d != "" {
		t.Error(d)
	}
}

func TestCustomDataIsBase64(t *testing.T) {
	set := strings.Replace(fullSet, "aGVsbG8=", base64.StdEncoding.EncodeToString([]byte("#!/bin/sh\n")), 1)
	env, err := parseEnvironment([]byte(environmentOf(set, fullPlatform)))
	if err != nil || string(env.CustomData) != "#!/bin/sh\n" {
		t.Errorf("custom data %q, %v", env.CustomData, err)
	}
}
