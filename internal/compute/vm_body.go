package compute

import (
	"time"

	"lazuli/internal/arm"
)

type vmBody struct {
	arm.Header
	Zones      []string     `json:"zones,omitempty"`
	Identity   *vmIdentity  `json:"identity,omitempty"` // never shown
	Properties vmProperties `json:"properties"`
	// Resources are the machine's extensions.
	Resources []extensionBody `json:"resources,omitempty" arm:"readonly"`

	_ struct{} `arm:"readonly=managedBy"`
}

type vmProperties struct {
	VMID              string        `json:"vmId,omitempty" arm:"readonly"`
	Hardware          hardware      `json:"hardwareProfile"`
	Storage           storage       `json:"storageProfile"`
	OS                *osProfile    `json:"osProfile,omitempty"`
	Network           networking    `json:"networkProfile"`
	Diagnostics       *diagnostics  `json:"diagnosticsProfile,omitempty"`
	Security          *security     `json:"securityProfile,omitempty"`
	UserData          *string       `json:"userData,omitempty"`
	AvailabilitySet   *reference    `json:"availabilitySet,omitempty"`
	Priority          string        `json:"priority,omitempty"`
	LicenseType       string        `json:"licenseType,omitempty"`
	ExtensionsBudget  string        `json:"extensionsTimeBudget,omitempty"`
	ProvisioningState string        `json:"provisioningState,omitempty" arm:"readonly"`
	TimeCreated       *time.Time    `json:"timeCreated,omitempty" arm:"readonly"`
	InstanceView      *instanceView `json:"instanceView,omitempty" arm:"readonly"`
}

// vmIdentity says in so many words that the machine has none.
type vmIdentity struct {
	Type string `json:"type,omitempty"`
}

type hardware struct {
	VMSize string `json:"vmSize,omitempty"`
}

type storage struct {
	Image          *imageReference `json:"imageReference,omitempty"`
	OSDisk         *osDisk         `json:"osDisk,omitempty"`
	DataDisks      *[]dataDisk     `json:"dataDisks,omitempty"`
	ControllerType string          `json:"diskControllerType,omitempty"`
}

// aDisk is what OS and data disks have in common.
type aDisk struct {
	Name         string       `json:"name,omitempty"`
	CreateOption string       `json:"createOption,omitempty"`
	Caching      string       `json:"caching,omitempty"`
	DeleteOption string       `json:"deleteOption,omitempty"`
	SizeGB       int64        `json:"diskSizeGB,omitempty" arm:"notzero"`
	Disk         *managedDisk `json:"managedDisk,omitempty"`
}

type osDisk struct {
	aDisk
	OSType string `json:"osType,omitempty"`
}

type dataDisk struct {
	aDisk
	LUN          *int `json:"lun"`
	ToBeDetached bool `json:"toBeDetached"`
}

type managedDisk struct {
	ID  arm.ID `json:"id,omitzero"`
	SKU string `json:"storageAccountType,omitempty"`

	_ struct{} `arm:"readonly=resourceGroup"`
}

type networking struct {
	NICs *[]nicReference `json:"networkInterfaces,omitempty"`
}

type nicReference struct {
	ID         arm.ID        `json:"id"`
	Properties nicProperties `json:"properties"`

	_ struct{} `arm:"readonly=resourceGroup"`
}

type nicProperties struct {
	Primary      *bool  `json:"primary,omitempty"`
	DeleteOption string `json:"deleteOption,omitempty"`
}

type diagnostics struct {
	Boot *bootDiagnostics `json:"bootDiagnostics,omitempty"`
}

type bootDiagnostics struct {
	Enabled    bool   `json:"enabled"`
	StorageURI string `json:"storageUri,omitempty"`
}

type security struct {
	Type string `json:"securityType,omitempty"`
}

type osProfile struct {
	ComputerName    string     `json:"computerName,omitempty"`
	AdminUsername   string     `json:"adminUsername,omitempty"`
	AdminPassword   string     `json:"adminPassword,omitempty"` // never shown
	CustomData      string     `json:"customData,omitempty"`    // never shown
	Linux           *linuxOS   `json:"linuxConfiguration,omitempty"`
	Secrets         []struct{} `json:"secrets"` // always empty, as Azure shows it
	AllowExtensions *bool      `json:"allowExtensionOperations,omitempty"`
	// Azure takes true or nothing here.
	RequireSignal bool `json:"requireGuestProvisionSignal,omitempty"`
}

type linuxOS struct {
	DisablePassword  *bool          `json:"disablePasswordAuthentication,omitempty"`
	SSH              *sshConfig     `json:"ssh,omitempty"`
	ProvisionVMAgent *bool          `json:"provisionVMAgent,omitempty"`
	Patch            *patchSettings `json:"patchSettings,omitempty"`
}

type sshConfig struct {
	PublicKeys []sshKey `json:"publicKeys,omitempty"`
}

type sshKey struct {
	Path    string `json:"path,omitempty"`
	KeyData string `json:"keyData,omitempty"`
}

type patchSettings struct {
	PatchMode      string `json:"patchMode,omitempty"`
	AssessmentMode string `json:"assessmentMode,omitempty"`
}

// Words of machines' bodies.
const (
	detach       = "Detach"
	deleteIt     = "Delete"
	cachingNone  = "None"
	readOnly     = "ReadOnly"
	readWrite    = "ReadWrite"
	imageDefault = "ImageDefault"
	standard     = "Standard"
	regular      = "Regular"
	scsi         = "SCSI"
)

var cachings = []string{cachingNone, readOnly, readWrite}
