package compute

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"lazuli/internal/arm"
	"lazuli/internal/arm/armtest"
	"lazuli/internal/fabric"
)

const password = `"osProfile": {"computerName": "vm1", "adminUsername": "azureuser", "adminPassword": "Str0ng!Passw0rd", "customData": "I2Nsb3VkLWNvbmZpZw==",
	"linuxConfiguration": {"disablePasswordAuthentication": false, "ssh": {"publicKeys": [{"keyData": "` + publicKey + `"}]}}}`

const twoDisks = `"dataDisks": [{"lun": 0, "managedDisk": {"storageAccountType": null}, "createOption": "empty", "diskSizeGB": 4}, {"lun": 1, "createOption": "empty", "diskSizeGb": "8"}]`

func TestCreateVM(t *testing.T) {
	c := newCloud(t)
	res := c.Put(vmID, body("os", password, "dataDisks", twoDisks, "more", `"userData": "aGVsbG8="`, "top", `"tags": {"a": "b"}`,
		"osDisk", `"osDisk": {"createOption": "fromImage", "diskSizeGb": 40}`))
	if !res.Created || res.Operation == nil || res.Operation.Action != "create" || res.Operation.Generation != 1 {
		t.Fatalf("result = %+v", res)
	}
	if got := armtest.At(t, res.Body, "properties.provisioningState"); got != "Creating" {
		t.Errorf("provisioningState = %v, want Creating", got)
	}
	armtest.Golden(t, "vm", res.Body)
	armtest.FitsSDK(t, res.Body, &armcompute.VirtualMachine{})
	vm := getVM(t, c)
	if vm.Spec.Power != fabric.Running || vm.Spec.PowerGeneration != 1 || vm.Spec.UserData != "aGVsbG8=" {
		t.Errorf("spec = %+v, os %+v", vm.Spec, vm.Spec.OS)
	}
	os := getDisk(t, c, vm.Spec.OSDisk.ID)
	if os.Spec.SizeGiB != 40 || os.Spec.Image != "debian-12-10" || !os.Spec.ManagedBy.Equal(vmID) || !os.Spec.OS || os.Spec.SKU != "Premium_LRS" || os.Tags["a"] != "b" {
		t.Errorf("OS disk = %+v", os)
	}
	for i, size := range []int64{4, 8} {
		if d := getDisk(t, c, vm.Spec.DataDisks[i].ID); d.Spec.SizeGiB != size || !d.Spec.ManagedBy.Equal(vmID) || d.Spec.CreateOption != "Empty" {
			t.Errorf("disk %d = %+v", i, d.Spec)
		}
	}
	if got := armtest.At(t, c.Get(nicID).Body, "properties.virtualMachine.id"); got != vmID.String() {
		t.Errorf("the interface is plugged into %v", got)
	}
}

// Secrets are kept apart from the machine, for its guest only, and digests of
// them tell whether a later body asks for the same.
func TestSecretsAreKeptApart(t *testing.T) {
	c := withVM(t, "os", password)
	vm := getVM(t, c)
	got, err := FindSecrets(t.Context(), c.Store, vm.UID)
	if want := (Secrets{AdminPassword: "Str0ng!Passw0rd", CustomData: "I2Nsb3VkLWNvbmZpZw=="}); err != nil || got != want {
		t.Errorf("secrets = %+v, %v; want %+v", got, err, want)
	}
	if spec := armtest.JSON(t, vm.Spec); strings.Contains(spec, "Passw0rd") || strings.Contains(spec, "I2Nsb3V") {
		t.Errorf("there is a secret in the spec: %s", spec)
	}
	for body, code := range map[string]string{
		`"adminPassword": "Str0ng!Passw0rd", "customData": "I2Nsb3VkLWNvbmZpZw=="`: "",
		`"adminPassword": "Str0ng!Passw0rd "`:                                      "PropertyChangeNotAllowed",
		`"customData": "I2Nsb3VkLWNvbmZpZwo="`:                                     "PropertyChangeNotAllowed",
	} {
		_, err := c.Do(armtest.Request{Method: "PUT", ID: vmID, Body: changed(t, c, `"secrets": []`, body)})
		armtest.WantError(t, err, code)
	}
	other := withVM(t)
	if s, err := FindSecrets(t.Context(), other.Store, getVM(t, other).UID); err != nil || s != (Secrets{}) {
		t.Errorf("secrets of a machine without any = %+v, %v", s, err)
	}
}

func TestDigest(t *testing.T) {
	d := digestOf("a")
	if d == digestOf("a") {
		t.Error("two digests of the same are the same: there is no salt in them")
	}
	for name, tt := range map[string]struct {
		digest Digest
		secret string
		want   bool
	}{
		"right":             {d, "a", true},
		"wrong":             {d, "b", false},
		"nothing":           {d, "", false},
		"nothing, of none":  {"", "", true},
		"of nothing":        {"", "a", false},
		"not a digest":      {"x", "a", false},
		"not base64":        {"%.%", "a", false},
		"cut short":         {d[:30], "a", false},
		"digest of nothing": {digestOf(""), "", true},
	} {
		if got := tt.digest.of(tt.secret); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

// Nothing that a client reads has a secret in it.
func TestSecretsAreNotShown(t *testing.T) {
	c := withVM(t, "os", password, "more", `"userData": "aGVsbG8="`)
	for _, expand := range []string{"", "instanceView", "userData"} {
		res, err := c.Do(armtest.Request{Method: "GET", ID: vmID, Query: url.Values{"$expand": {expand}}})
		if err != nil {
			t.Fatal(err)
		}
		shown := armtest.JSON(t, res.Body)
		if strings.Contains(shown, "Passw0rd") || strings.Contains(shown, "I2Nsb3V") {
			t.Errorf("with $expand=%s a secret is shown: %s", expand, shown)
		}
		if got, want := strings.Contains(shown, "aGVsbG8="), expand == "userData"; got != want {
			t.Errorf("with $expand=%s the user data is shown: %t, want %t", expand, got, want)
		}
	}
}

func TestVMRules(t *testing.T) {
	pair := func(second string) string {
		return `"networkInterfaces": [{"id": "` + nicID.String() + `", "properties": {"primary": true}}, {"id": "` + second + `"}]`
	}
	data := func(disks ...string) string { return `"dataDisks": [` + strings.Join(disks, ",") + `]` }
	attach := func(id arm.ID) string {
		return `"osDisk": {"createOption": "attach", "osType": "linux", "managedDisk": {"id": "` + id.String() + `"}}`
	}
	tests := map[string]struct {
		body, code string
	}{
		"as az sends it":      {body(), ""},
		"no size":             {body("hardware", "-"), "InvalidParameter"},
		"unknown size":        {body("hardware", `"hardwareProfile": {"vmSize": "Standard_Z9"}`), "InvalidParameter"},
		"size in lower case":  {body("hardware", `"hardwareProfile": {"vmSize": "standard_b1s"}`), ""},
		"unknown location":    {strings.Replace(body(), "local", "moon", 1), "LocationNotAvailableForResourceType"},
		"zone":                {body("top", `"zones": ["2"]`), ""},
		"two zones":           {body("top", `"zones": ["1", "2"]`), "InvalidParameter"},
		"zone without a name": {body("top", `"zones": [""]`), "InvalidParameter"},
		"zone nine":           {body("top", `"zones": ["9"]`), "InvalidParameter"},
		"identity":            {body("top", `"identity": {"type": "SystemAssigned"}`), "UnsupportedProperty"},
		"plan":                {body("top", `"plan": {"name": "x"}`), "UnsupportedProperty"},
		"proximity group":     {body("more", `"proximityPlacementGroup": {"id": "/x"}`), "UnsupportedProperty"},
		"licence":             {body("more", `"licenseType": "RHEL_BYOS"`), "UnsupportedProperty"},
		"spot":                {body("more", `"priority": "Spot"`), "InvalidParameter"},
		"all that azurerm sends": {body("top", `"identity": {"type": "None", "userAssignedIdentities": null}, "tags": {}, "zones": null`,
			"osDisk", `"osDisk": {"caching": "ReadWrite", "createOption": "FromImage", "managedDisk": {"storageAccountType": "Standard_LRS"}, "name": "os", "osType": "Linux", "writeAcceleratorEnabled": false}, "dataDisks": []`,
			"os", `"osProfile": {"adminUsername": "azureuser", "allowExtensionOperations": true, "computerName": "vm1", "secrets": [], "linuxConfiguration": {"disablePasswordAuthentication": true,
				"patchSettings": {"assessmentMode": "ImageDefault", "patchMode": "ImageDefault"}, "provisionVMAgent": true, "ssh": {"publicKeys": [{"keyData": "`+publicKey+`", "path": "/home/azureuser/.ssh/authorized_keys"}]}}}`,
			"more", `"additionalCapabilities": {"ultraSSDEnabled": false, "hibernationEnabled": false}, "applicationProfile": {"galleryApplications": null}, "priority": "Regular", "licenseType": null,
				"diagnosticsProfile": {"bootDiagnostics": {"enabled": true, "storageUri": ""}}, "extensionsTimeBudget": "PT1H30M", "securityProfile": {"encryptionAtHost": false}`), ""},
		"as terraform sends it":     {body("more", `"priority": "regular", "additionalCapabilities": {}, "applicationProfile": {"galleryApplications": []}, "extensionsTimeBudget": "PT1H30M", "diagnosticsProfile": {"bootDiagnostics": {"enabled": false, "storageUri": ""}}`), ""},
		"capabilities that are off": {body("more", `"additionalCapabilities": {"ultraSSDEnabled": false, "hibernationEnabled": false}`), ""},
		"hibernation":               {body("more", `"additionalCapabilities": {"hibernationEnabled": true}`), "UnsupportedProperty"},
		"standard security":         {body("more", `"securityProfile": {"securityType": "standard"}`), ""},
		"trusted launch":            {body("more", `"securityProfile": {"securityType": "TrustedLaunch"}`), "InvalidParameter"},
		"boot log in an account":    {body("more", `"diagnosticsProfile": {"bootDiagnostics": {"enabled": true, "storageUri": "https://x"}}`), ""},
		"boot log nowhere":          {body("more", `"diagnosticsProfile": {"bootDiagnostics": {"enabled": true, "storageUri": "account"}}`), "InvalidParameter"},
		"no licence":                {body("more", `"licenseType": "none"`), ""},
		"no identity":               {body("top", `"identity": {"type": "None", "userAssignedIdentities": null}`), ""},
		"bad extensions budget":     {body("more", `"extensionsTimeBudget": "soon"`), "InvalidParameter"},
		"user data":                 {body("more", `"userData": "!"`), "InvalidParameter"},
		"NVMe":                      {body("osDisk", `"diskControllerType": "NVMe"`), "InvalidParameter"},

		"no image":                   {body("image", "-"), "InvalidParameter"},
		"no storage":                 {body("image", "-", "osDisk", "-"), "InvalidParameter"},
		"no OS disk":                 {body("osDisk", "-"), ""},
		"exact version":              {body("image", `"imageReference": {"publisher": "LAZULI", "offer": "debian", "sku": "12", "version": "12.9.0"}`), ""},
		"unknown version":            {body("image", `"imageReference": {"publisher": "lazuli", "offer": "debian", "sku": "12", "version": "1"}`), "PlatformImageNotFound"},
		"unknown publisher":          {body("image", `"imageReference": {"publisher": "x", "offer": "debian", "sku": "12", "version": "latest"}`), "PlatformImageNotFound"},
		"image without firmware":     {body("image", `"imageReference": {"publisher": "nobody", "offer": "x", "sku": "x", "version": "latest"}`), "PlatformImageNotFound"},
		"half an image":              {body("image", `"imageReference": {"publisher": "lazuli"}`), "InvalidParameter"},
		"shared image":               {body("image", `"imageReference": {"sharedGalleryImageId": "/x"}`), "UnsupportedProperty"},
		"missing image":              {body("image", `"imageReference": {"id": "`+imgID.String()+`9"}`), "InvalidResourceReference"},
		"image of another kind":      {body("image", `"imageReference": {"id": "`+diskID.String()+`"}`), "LinkedInvalidPropertyId"},
		"image by its long name":     {body("image", `"imageReference": {"id": "/subscriptions/`+armtest.Subscription+`/providers/Microsoft.Compute/locations/local/publishers/lazuli/artifacttypes/vmimage/offers/debian/skus/12/versions/12.9.0"}`), ""},
		"OS disk too small":          {body("osDisk", `"osDisk": {"createOption": "FromImage", "diskSizeGB": 2}`), "InvalidParameter"},
		"OS disk too large":          {body("osDisk", `"osDisk": {"createOption": "FromImage", "diskSizeGB": 32768}`), "InvalidParameter"},
		"OS disk with a name":        {body("osDisk", `"osDisk": {"createOption": "FromImage", "name": "os1"}`), ""},
		"OS disk that exists":        {body("osDisk", `"osDisk": {"createOption": "FromImage", "name": "d1"}`), "ConflictingUserInput"},
		"OS disk badly named":        {body("osDisk", `"osDisk": {"createOption": "FromImage", "name": "a b"}`), "InvalidResourceName"},
		"OS disk by id from image":   {body("osDisk", `"osDisk": {"createOption": "FromImage", "managedDisk": {"id": "`+diskID.String()+`"}}`), "InvalidParameter"},
		"ephemeral":                  {body("osDisk", `"osDisk": {"createOption": "FromImage", "diffDiskSettings": {"option": "Local"}}`), "UnsupportedProperty"},
		"write accelerator":          {body("osDisk", `"osDisk": {"createOption": "FromImage", "writeAcceleratorEnabled": true}`), "UnsupportedProperty"},
		"empty OS disk":              {body("osDisk", `"osDisk": {"createOption": "Empty"}`), "InvalidParameter"},
		"Windows":                    {body("osDisk", `"osDisk": {"createOption": "FromImage", "osType": "Windows"}`), "InvalidParameter"},
		"unknown kind of disk":       {body("osDisk", `"osDisk": {"createOption": "FromImage", "managedDisk": {"storageAccountType": "UltraSSD_LRS"}}`), "InvalidParameter"},
		"unknown caching":            {body("osDisk", `"osDisk": {"createOption": "FromImage", "caching": "All"}`), "InvalidParameter"},
		"attached OS disk":           {body("image", "-", "os", "-", "osDisk", attach(diskID)), ""},
		"attached, and an image":     {body("os", "-", "osDisk", attach(diskID)), "InvalidParameter"},
		"attached, and a profile":    {body("image", "-", "osDisk", attach(diskID)), "InvalidParameter"},
		"attached, and missing":      {body("image", "-", "os", "-", "osDisk", attach(diskNamed("none"))), "InvalidResourceReference"},
		"attached without an id":     {body("image", "-", "os", "-", "osDisk", `"osDisk": {"createOption": "attach"}`), "InvalidParameter"},
		"attached and used":          {body("image", "-", "os", "-", "osDisk", attach(diskNamed("used"))), "ConflictingUserInput"},
		"no profile":                 {body("os", "-"), "InvalidParameter"},
		"two data disks":             {body("dataDisks", twoDisks), ""},
		"three, too many":            {body("dataDisks", data(`{"lun": 0, "createOption": "Empty", "diskSizeGB": 1}`, `{"lun": 1, "createOption": "Empty", "diskSizeGB": 1}`, `{"lun": 2, "createOption": "Empty", "diskSizeGB": 1}`)), "OperationNotAllowed"},
		"same LUN":                   {body("dataDisks", data(`{"lun": 0, "createOption": "Empty", "diskSizeGB": 1}`, `{"lun": 0, "createOption": "Empty", "diskSizeGB": 1}`)), "InvalidParameter"},
		"no LUN":                     {body("dataDisks", data(`{"createOption": "Empty", "diskSizeGB": 1}`)), "InvalidParameter"},
		"LUN 64":                     {body("dataDisks", data(`{"lun": 64, "createOption": "Empty", "diskSizeGB": 1}`)), "InvalidParameter"},
		"no option":                  {body("dataDisks", data(`{"lun": 0, "diskSizeGB": 1}`)), "InvalidParameter"},
		"data disk from an image":    {body("dataDisks", data(`{"lun": 0, "createOption": "FromImage"}`)), "InvalidParameter"},
		"no size of a disk":          {body("dataDisks", data(`{"lun": 0, "createOption": "Empty"}`)), "InvalidParameter"},
		"empty, and an id":           {body("dataDisks", data(`{"lun": 0, "createOption": "Empty", "diskSizeGB": 1, "managedDisk": {"id": "`+diskID.String()+`"}}`)), "InvalidParameter"},
		"data disk attached":         {body("dataDisks", data(`{"lun": 0, "createOption": "Attach", "managedDisk": {"id": "`+diskID.String()+`"}}`)), ""},
		"data disk attached by name": {body("dataDisks", data(`{"lun": 0, "createOption": "Attach", "name": "d1"}`)), ""},
		"data disk attached twice":   {body("dataDisks", data(`{"lun": 0, "createOption": "Attach", "name": "d1"}`, `{"lun": 1, "createOption": "Attach", "name": "d1"}`)), "InvalidParameter"},
		"data disk used":             {body("dataDisks", data(`{"lun": 0, "createOption": "Attach", "name": "used"}`)), "ConflictingUserInput"},
		"data disk being detached":   {body("dataDisks", data(`{"lun": 0, "createOption": "Attach", "name": "leaving"}`)), "AttachDiskWhileBeingDetached"},
		"data disk of no name":       {body("dataDisks", data(`{"lun": 0, "createOption": "Attach"}`)), "InvalidParameter"},
		"data disk of another size":  {body("dataDisks", data(`{"lun": 0, "createOption": "Attach", "name": "d1", "diskSizeGB": 9}`)), "InvalidParameter"},
		"data disk of another kind":  {body("dataDisks", data(`{"lun": 0, "createOption": "Attach", "managedDisk": {"id": "`+diskID.String()+`", "storageAccountType": "Premium_LRS"}}`)), "InvalidParameter"},
		"data disk renamed":          {body("dataDisks", data(`{"lun": 0, "createOption": "Attach", "name": "x", "managedDisk": {"id": "`+diskID.String()+`"}}`)), "InvalidParameter"},
		"data disk spelled out":      {body("dataDisks", data(`{"lun": 0, "createOption": "Attach", "name": "D1", "diskSizeGB": 8, "managedDisk": {"id": "`+diskID.String()+`", "storageAccountType": "standard_lrs"}}`)), ""},
		"OS disk of another size":    {body("image", "-", "os", "-", "osDisk", strings.Replace(attach(diskNamed("os2")), `"osType"`, `"diskSizeGB": 9, "osType"`, 1)), "InvalidParameter"},
		"OS disk renamed":            {body("image", "-", "os", "-", "osDisk", strings.Replace(attach(diskNamed("os2")), `"osType"`, `"name": "x", "osType"`, 1)), "InvalidParameter"},
		"OS disk spelled out":        {body("image", "-", "os", "-", "osDisk", strings.Replace(attach(diskNamed("os2")), `"osType"`, `"name": "os2", "diskSizeGB": 8, "osType"`, 1)), ""},
		"image by name and id":       {body("image", `"imageReference": {"id": "`+imgID.String()+`", "publisher": "lazuli", "offer": "debian", "sku": "12", "version": "latest"}`), "InvalidParameter"},
		"detached at once":           {body("dataDisks", data(`{"lun": 0, "createOption": "Attach", "name": "d1", "toBeDetached": true}`)), "InvalidParameter"},

		"no interface":                 {body("nics", `"networkInterfaces": []`), "InvalidParameter"},
		"no interfaces":                {body("nics", "-"), "InvalidParameter"},
		"inline interfaces":            {body("nics", `"networkInterfaceConfigurations": [{"name": "x"}]`), "UnsupportedProperty"},
		"missing interface":            {body("nics", `"networkInterfaces": [{"id": "`+nicID.String()+`9"}]`), "InvalidResourceReference"},
		"interface without id":         {body("nics", `"networkInterfaces": [{}]`), "InvalidParameter"},
		"interface used":               {body("nics", `"networkInterfaces": [{"id": "`+nicNamed("nic4").String()+`"}]`), "NicInUse"},
		"two interfaces":               {body("nics", pair(nicNamed("nic2").String())), ""},
		"same interface":               {body("nics", pair(nicID.String())), "InvalidParameter"},
		"two primaries":                {body("nics", strings.Replace(pair(nicNamed("nic2").String()), `}]`, `, "properties": {"primary": true}}]`, 1)), "VirtualMachineMustHaveOneNetworkInterfaceAsPrimary"},
		"no primary":                   {body("nics", strings.Replace(pair(nicNamed("nic2").String()), "true", "false", 1)), "VirtualMachineMustHaveOneNetworkInterfaceAsPrimary"},
		"two networks":                 {body("nics", pair(nicNamed("far").String())), "SubnetsNotInSameVnet"},
		"three interfaces":             {body("nics", strings.Replace(pair(nicNamed("nic2").String()), `}]`, `}, {"id": "`+nicNamed("nic3").String()+`"}]`, 1)), "NetworkInterfaceCountExceeded"},
		"interface that goes, spelled": {body("nics", `"networkInterfaces": [{"id": "`+nicID.String()+`", "properties": {"deleteOption": "destroy"}}]`), "InvalidParameter"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t)
			for _, d := range []string{"d1", "used", "leaving", "os2"} {
				c.Put(diskNamed(d), `{"properties": {"osType": "Linux", "creationData": {"createOption": "Empty"}, "diskSizeGB": 8}}`)
				settleDisk(t, c, diskNamed(d))
			}
			other := armtest.ID(VMType + "/other")
			c.Put(other, body("nics", `"networkInterfaces": [{"id": "`+nicNamed("nic4").String()+`"}]`, "dataDisks", data(`{"lun": 0, "createOption": "Attach", "name": "used"}`)))
			settleDisk(t, c, diskNamed("leaving"), func(s *DiskStatus) { s.HeldBy = other })
			settleVM(t, c, other, behind)
			far := armtest.ID("Microsoft.Network/virtualNetworks/far")
			c.Put(far, `{"properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, "subnets": [{"name": "sn1", "properties": {"addressPrefix": "10.0.0.0/24"}}]}}`)
			c.Put(nicNamed("far"), nicBody(far))
			_, err := c.Do(armtest.Request{Method: "PUT", ID: vmID, Body: tt.body})
			armtest.WantError(t, err, tt.code)
			if err != nil {
				if vm, _ := VMs.Find(t.Context(), c.Store, vmID); vm != nil {
					t.Error("the machine was made all the same")
				}
			}
		})
	}
}

func TestOSProfileRules(t *testing.T) {
	linux := `"linuxConfiguration": {"disablePasswordAuthentication": true, "ssh": {"publicKeys": [{"keyData": "` + publicKey + `"}]}}`
	with := func(props string) string { return `"osProfile": {` + props + `}` }
	tests := map[string]struct {
		os    string
		fault string // the property at fault
	}{
		"key":                     {with(`"adminUsername": "me", ` + linux), ""},
		"key and password":        {password, ""},
		"no name of the computer": {with(`"adminUsername": "me", ` + linux), ""},
		"digits for a name":       {with(`"computerName": "42", "adminUsername": "me", ` + linux), "computerName"},
		"underscore in the name":  {with(`"computerName": "a_b", "adminUsername": "me", ` + linux), "computerName"},
		"dots in the name":        {with(`"computerName": "a..b", "adminUsername": "me", ` + linux), "computerName"},
		"hyphen before a dot":     {with(`"computerName": "a-.b", "adminUsername": "me", ` + linux), "computerName"},
		"long name":               {with(`"computerName": "` + strings.Repeat("a", 65) + `", "adminUsername": "me", ` + linux), "computerName"},
		"name with a domain":      {with(`"computerName": "a-1.b", "adminUsername": "me", ` + linux), ""},
		"a hundred and one keys":  {with(`"adminUsername": "me", "linuxConfiguration": {"disablePasswordAuthentication": true, "ssh": {"publicKeys": [` + strings.TrimSuffix(strings.Repeat(`{"keyData": "`+publicKey+`"},`, 101), ",") + `]}}`), "linuxConfiguration.ssh.publicKeys"},
		"no user":                 {with(linux), "adminUsername"},
		"reserved user":           {with(`"adminUsername": "Root", ` + linux), "adminUsername"},
		"user with a space":       {with(`"adminUsername": "a b", ` + linux), "adminUsername"},
		"long user":               {with(`"adminUsername": "` + strings.Repeat("a", 33) + `", ` + linux), "adminUsername"},
		"no password, no key":     {with(`"adminUsername": "me"`), "adminPassword"},
		"no key":                  {with(`"adminUsername": "me", "linuxConfiguration": {"disablePasswordAuthentication": true}`), "linuxConfiguration"},
		"password nobody can use": {with(`"adminUsername": "me", "adminPassword": "no password", ` + linux), ""},
		"short password":          {with(`"adminUsername": "me", "adminPassword": "Aa1!"`), "adminPassword"},
		"long password":           {with(`"adminUsername": "me", "adminPassword": "` + strings.Repeat("Aa1!", 19) + `"`), "adminPassword"},
		"simple password":         {with(`"adminUsername": "me", "adminPassword": "abcdefghijklm1"`), "adminPassword"},
		"control character":       {with(`"adminUsername": "me", "adminPassword": "Abcdefghijklm1\t"`), "adminPassword"},
		"three kinds":             {with(`"adminUsername": "me", "adminPassword": "Abcdefghijklm1"`), ""},
		"not a key":               {with(`"adminUsername": "me", "linuxConfiguration": {"ssh": {"publicKeys": [{"keyData": "x"}]}}`), "linuxConfiguration.ssh.publicKeys[0].keyData"},
		"key of another kind":     {with(`"adminUsername": "me", "linuxConfiguration": {"ssh": {"publicKeys": [{"keyData": "` + strings.Replace(publicKey, "ssh-ed25519", "ssh-rsa", 1) + `"}]}}`), "linuxConfiguration.ssh.publicKeys[0].keyData"},
		"key elsewhere":           {with(`"adminUsername": "me", "linuxConfiguration": {"ssh": {"publicKeys": [{"path": "/root/x", "keyData": "` + publicKey + `"}]}}`), "linuxConfiguration.ssh.publicKeys[0].path"},
		"custom data":             {with(`"adminUsername": "me", "customData": "#cloud", ` + linux), "customData"},
		"large custom data":       {with(`"adminUsername": "me", "customData": "` + strings.Repeat("AAAA", 22000) + `", ` + linux), "customData"},
		"secrets":                 {with(`"adminUsername": "me", "secrets": [{}], ` + linux), "secrets"},
		"no secrets":              {with(`"adminUsername": "me", "secrets": [], "allowExtensionOperations": false, "requireGuestProvisionSignal": true, ` + linux), ""},
		"Windows":                 {with(`"adminUsername": "me", "adminPassword": "Abcdefghijklm1", "windowsConfiguration": {"timeZone": "x"}`), "windowsConfiguration"},
		"patching":                {with(`"adminUsername": "me", "linuxConfiguration": {"disablePasswordAuthentication": true, "provisionVMAgent": true, "ssh": {"publicKeys": [{"keyData": "` + publicKey + `"}]}, "patchSettings": {"patchMode": "ImageDefault", "assessmentMode": "ImageDefault"}}`), ""},
		"patching by platform":    {with(`"adminUsername": "me", "adminPassword": "Abcdefghijklm1", "linuxConfiguration": {"patchSettings": {"patchMode": "AutomaticByPlatform"}}`), "linuxConfiguration.patchSettings.patchMode"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := newCloud(t).Do(armtest.Request{Method: "PUT", ID: vmID, Body: body("os", tt.os)})
			if tt.fault == "" {
				armtest.WantError(t, err, "")
				return
			}
			ae, ok := err.(*arm.Error)
			if !ok || ae.Status != 400 || !strings.HasPrefix(ae.Target, "properties.osProfile."+tt.fault) {
				t.Errorf("error = %#v, want one at osProfile.%s", err, tt.fault)
			}
		})
	}
}

// What a client reads of a machine it can send back, and nothing changes.
func TestVMEcho(t *testing.T) {
	for name, changes := range map[string][]string{
		"plain": nil,
		"full": {"os", password, "dataDisks", twoDisks, "top", `"zones": ["1"], "tags": {"a": "b"}`,
			"more", `"userData": "aGVsbG8=", "diagnosticsProfile": {"bootDiagnostics": {"enabled": true}}, "extensionsTimeBudget": "PT1H", "securityProfile": {"securityType": "Standard"}`},
	} {
		t.Run(name, func(t *testing.T) {
			c := withVM(t, changes...)
			res, err := c.Do(armtest.Request{Method: "GET", ID: vmID, Query: url.Values{"$expand": {"instanceView"}}})
			if err != nil {
				t.Fatal(err)
			}
			before := getVM(t, c).Spec
			c.Put(vmID, armtest.JSON(t, res.Body))
			settleVM(t, c, vmID)
			c.Patch(vmID, `{"tags": {"x": "y"}}`)
			if after := getVM(t, c).Spec; armtest.JSON(t, after) != armtest.JSON(t, before) {
				t.Errorf("before %s after %s", armtest.JSON(t, before), armtest.JSON(t, after))
			}
			// The body of the creation, once more, is the same wish.
			settleVM(t, c, vmID)
			c.Put(vmID, body(changes...))
			if after := getVM(t, c).Spec; armtest.JSON(t, after) != armtest.JSON(t, before) {
				t.Errorf("after the creation's body: before %s after %s", armtest.JSON(t, before), armtest.JSON(t, after))
			}
		})
	}
}

func TestVMIsBusy(t *testing.T) {
	c := newCloud(t)
	c.Put(vmID, body())
	_, err := c.Do(armtest.Request{Method: "PUT", ID: vmID, Body: body()})
	armtest.WantError(t, err, "OperationNotAllowed")
	_, err = c.Do(armtest.Request{Method: "POST", ID: vmID, Action: "restart"})
	armtest.WantError(t, err, "OperationNotAllowed")
	if op := c.Delete(vmID).Operation; op == nil || op.Action != "delete" {
		t.Errorf("operation = %+v, want a deletion", op)
	}
}

func TestBootDiagnostics(t *testing.T) {
	c := withVM(t)
	res := c.Post(vmID, "retrieveBootDiagnosticsData", "")
	armtest.FitsSDK(t, res.Body, &armcompute.RetrieveBootDiagnosticsDataResult{})
	if got, want := armtest.At(t, res.Body, "serialConsoleLogBlobUri"), "https://cloud.example"+vmID.String()+"/serialLog?for="+(2*time.Hour).String(); got != want {
		t.Errorf("URI = %v, want %s", got, want)
	}
	for minutes, code := range map[string]string{"5": "", "0": "InvalidParameter", "x": "InvalidParameter", "1441": "InvalidParameter"} {
		_, err := c.Do(armtest.Request{Method: "POST", ID: vmID, Action: "retrieveBootDiagnosticsData", Query: url.Values{"sasUriExpirationTimeInMinutes": {minutes}}})
		armtest.WantError(t, err, code)
	}
}
