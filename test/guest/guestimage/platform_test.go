package guestimage

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv4/server4"
	"github.com/vishvananda/netlink"
	"golang.org/x/crypto/ssh"
)

const (
	guestIP  = "10.7.0.5"
	wireIP   = "168.63.129.16"
	imdsIP   = "169.254.169.254"
	tapName  = "tap0"
	userName = "azureuser"
)

// platform is the least that a guest of Azure needs to find around it. It is
// apart from the product's own, so that the guest is tried against another
// reading of the protocols.
type platform struct {
	vmID   string
	signer ssh.Signer
	health chan string // states, with the SubStatus if there is one

	mu   sync.Mutex
	inst map[string]any // what IMDS says
	asks []string
}

func newPlatform(t *testing.T, vmID string) *platform {
	t.Helper()
	_, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(priv, "")
	if err != nil {
		t.Fatal(err)
	}
	if f := os.Getenv("LAZULI_KEY_FILE"); f != "" {
		os.WriteFile(f, pem.EncodeToMemory(block), 0o600) //nolint:errcheck // for people only
	}
	p := &platform{vmID: vmID, signer: signer, health: make(chan string, 64)}
	p.inst = map[string]any{"compute": map[string]any{
		"vmId": vmID, "osProfile": map[string]any{"computerName": "web1", "adminUsername": userName, "disablePasswordAuthentication": "true"},
		"publicKeys": []any{map[string]any{"keyData": p.authorizedKey(), "path": "/home/" + userName + "/.ssh/authorized_keys"}},
	}, "network": map[string]any{"interface": []any{map[string]any{"macAddress": "000D3A000005",
		"ipv4": map[string]any{"ipAddress": []any{map[string]any{"privateIpAddress": guestIP, "publicIpAddress": ""}}, "subnet": []any{map[string]any{"address": "10.7.0.0", "prefix": "24"}}},
		"ipv6": map[string]any{"ipAddress": []any{}}}}}}
	p.serve(t)
	return p
}

func (p *platform) authorizedKey() string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(p.signer.PublicKey())))
}

// serve sets up the tap device and everything that answers on it.
func (p *platform) serve(t *testing.T) {
	t.Helper()
	tap := &netlink.Tuntap{LinkAttrs: netlink.LinkAttrs{Name: tapName}, Mode: netlink.TUNTAP_MODE_TAP}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(netlink.LinkAdd(tap))
	t.Cleanup(func() { netlink.LinkDel(tap) }) //nolint:errcheck // the namespace ends soon
	must(netlink.LinkSetUp(tap))
	lo, err := netlink.LinkByName("lo")
	must(err)
	must(netlink.LinkSetUp(lo))
	for _, a := range []string{"10.7.0.1/24", wireIP + "/32", imdsIP + "/32"} {
		addr, err := netlink.ParseAddr(a)
		must(err)
		must(netlink.AddrReplace(tap, addr))
	}
	dhcp, err := server4.NewServer(tapName, &net.UDPAddr{Port: 67}, p.lease)
	must(err)
	go dhcp.Serve() //nolint:errcheck // ends with Close
	t.Cleanup(func() { dhcp.Close() })
	for addr, h := range map[string]http.HandlerFunc{imdsIP: p.metadata, wireIP: p.wire} {
		l, err := net.Listen("tcp", addr+":80")
		must(err)
		s := &http.Server{Handler: h}
		go s.Serve(l) //nolint:errcheck // ends with Close
		t.Cleanup(func() { s.Close() })
	}
}

// lease gives its one address to whoever asks, the way Azure does: all routes
// are in option 121, the wireserver in 245.
func (p *platform) lease(conn net.PacketConn, _ net.Addr, m *dhcpv4.DHCPv4) {
	kind := dhcpv4.MessageTypeOffer
	if m.MessageType() == dhcpv4.MessageTypeRequest {
		kind = dhcpv4.MessageTypeAck
	}
	gw := net.IPv4(10, 7, 0, 1)
	all := net.CIDRMask(32, 32)
	answer, err := dhcpv4.NewReplyFromRequest(m, dhcpv4.WithMessageType(kind), dhcpv4.WithYourIP(net.ParseIP(guestIP)),
		dhcpv4.WithServerIP(gw), dhcpv4.WithOption(dhcpv4.OptServerIdentifier(gw)), dhcpv4.WithNetmask(net.CIDRMask(24, 32)),
		dhcpv4.WithRouter(gw), dhcpv4.WithDNS(net.ParseIP(wireIP)), dhcpv4.WithLeaseTime(86400),
		dhcpv4.WithOption(dhcpv4.OptClasslessStaticRoute(
			&dhcpv4.Route{Dest: &net.IPNet{IP: net.IPv4zero.To4(), Mask: net.CIDRMask(0, 32)}, Router: gw},
			&dhcpv4.Route{Dest: &net.IPNet{IP: net.ParseIP(wireIP).To4(), Mask: all}, Router: gw},
			&dhcpv4.Route{Dest: &net.IPNet{IP: net.ParseIP(imdsIP).To4(), Mask: all}, Router: gw})),
		dhcpv4.WithGeneric(dhcpv4.GenericOptionCode(245), net.ParseIP(wireIP).To4()))
	if err == nil {
		conn.WriteTo(answer.ToBytes(), &net.UDPAddr{IP: net.IPv4bcast, Port: 68}) //nolint:errcheck // the client asks again
	}
}

func (p *platform) asked(r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asks = append(p.asks, r.Method+" "+r.URL.String())
}

func (p *platform) metadata(w http.ResponseWriter, r *http.Request) {
	p.asked(r)
	if !strings.EqualFold(r.Header.Get("Metadata"), "true") {
		http.Error(w, "no metadata header", http.StatusBadRequest)
		return
	}
	var v any = p.inst
	for _, k := range strings.FieldsFunc(strings.TrimPrefix(r.URL.Path, "/metadata/instance"), func(c rune) bool { return c == '/' }) {
		m, _ := v.(map[string]any)
		v = m[k]
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v) //nolint:errcheck // the guest asks again
}

var stateTag = regexp.MustCompile(`<(?:State|SubStatus|Description)>([^<]*)<`)

func (p *platform) wire(w http.ResponseWriter, r *http.Request) {
	p.asked(r)
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	switch q := r.URL.Query(); {
	case q.Get("comp") == "versions":
		io.WriteString(w, `<?xml version="1.0"?><Versions><Preferred><Version>2015-04-05</Version></Preferred><Supported><Version>2012-11-30</Version></Supported></Versions>`) //nolint:errcheck // likewise
	case r.Header.Get("x-ms-version") != "2012-11-30" && r.Method == http.MethodGet:
		http.Error(w, "x-ms-version", http.StatusBadRequest)
	case q.Get("comp") == "goalstate":
		fmt.Fprintf(w, `<?xml version="1.0" encoding="utf-8"?><GoalState><Version>2012-11-30</Version><Incarnation>1</Incarnation>
<Machine><ExpectedState>Started</ExpectedState></Machine><Container><ContainerId>c-1</ContainerId><RoleInstanceList><RoleInstance><InstanceId>i-1._web1</InstanceId><State>Started</State>
<Configuration><HostingEnvironmentConfig>http://%[1]s/x?comp=config</HostingEnvironmentConfig><SharedConfig>http://%[1]s/x?comp=config</SharedConfig><ExtensionsConfig>http://%[1]s/x?comp=config</ExtensionsConfig><ConfigName>c.1.xml</ConfigName></Configuration>
</RoleInstance></RoleInstanceList></Container></GoalState>`, wireIP)
	case q.Get("comp") == "health" && r.Method == http.MethodPost:
		b, _ := io.ReadAll(r.Body)
		var said []string
		for _, m := range stateTag.FindAllStringSubmatch(string(b), -1) {
			said = append(said, m[1])
		}
		if !strings.Contains(string(b), "<ContainerId>c-1</ContainerId>") || !strings.Contains(string(b), "<InstanceId>i-1._web1</InstanceId>") {
			said = []string{"wrong report: " + string(b)}
		}
		select {
		case p.health <- strings.Join(said, " "):
		default:
		}
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// medium makes the provisioning medium, as an ISO 9660 file with Joliet.
func (p *platform) medium(t *testing.T, customData string) string {
	t.Helper()
	dir := t.TempDir()
	content := filepath.Join(dir, "content")
	if err := os.Mkdir(content, 0o755); err != nil {
		t.Fatal(err)
	}
	ovf := fmt.Sprintf(ovfTemplate, "ovf-host", userName, p.authorizedKey(), customData)
	if err := os.WriteFile(filepath.Join(content, "ovf-env.xml"), []byte(ovf), 0o600); err != nil {
		t.Fatal(err)
	}
	iso := filepath.Join(dir, "medium.iso")
	if out, err := exec.Command("xorriso", "-as", "mkisofs", "-quiet", "-J", "-V", "rd_rdfe_stable", "-o", iso, content).CombinedOutput(); err != nil {
		t.Fatalf("xorriso: %v: %s", err, out)
	}
	return iso
}

const ovfTemplate = `<?xml version="1.0" encoding="utf-8"?>
<Environment xmlns="http://schemas.dmtf.org/ovf/environment/1" xmlns:oe="http://schemas.dmtf.org/ovf/environment/1" xmlns:wa="http://schemas.microsoft.com/windowsazure" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <wa:ProvisioningSection><wa:Version>1.0</wa:Version>
  <LinuxProvisioningConfigurationSet xmlns="http://schemas.microsoft.com/windowsazure" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">
   <ConfigurationSetType>LinuxProvisioningConfiguration</ConfigurationSetType>
   <HostName>%s</HostName><UserName>%s</UserName><DisableSshPasswordAuthentication>true</DisableSshPasswordAuthentication>
   <SSH><PublicKeys><PublicKey><Fingerprint>BF3E73C6995D6A24F703428E807E0BA6B09BC764</Fingerprint><Path>/home/azureuser/.ssh/authorized_keys</Path><Value>%s</Value></PublicKey></PublicKeys></SSH>
   <CustomData>%s</CustomData>
  </LinuxProvisioningConfigurationSet></wa:ProvisioningSection>
 <wa:PlatformSettingsSection><wa:Version>1.0</wa:Version>
  <PlatformSettings xmlns="http://schemas.microsoft.com/windowsazure"><ProvisionGuestAgent>true</ProvisionGuestAgent><PreprovisionedVm>false</PreprovisionedVm></PlatformSettings>
 </wa:PlatformSettingsSection>
</Environment>
`
