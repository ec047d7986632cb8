package cli

import (
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
)

// createOptions are the flags of vm create as they were given.
type createOptions struct {
	name, group                                string
	image, size, admin, vnet, subnet, firmware string
	passwordFile, customDataFile, userDataFile string
	sshKeys, dataDiskSizes, ports              []string
	noPublicIP, deleteDisks, noWait            bool
	tags                                       map[string]string
}

// createSpec is a machine to make, read and checked as far as it can be
// without asking the cloud.
type createSpec struct {
	name, group             string
	image                   imageName
	generation              armcompute.HyperVGenerationTypes
	size, admin, password   string
	sshKeys                 []string
	madeKey                 string // the file of the key that was made for it
	customData, userData    string // base64
	dataDisksGiB            []int32
	deleteDisks, noPublicIP bool
	vnet, subnet            string
	ports                   []portRange
	tags                    map[string]string
}

func (o *createOptions) read(stdin io.Reader, keys keyring) (*createSpec, error) {
	s := &createSpec{
		name: o.name, group: o.group, size: o.size, admin: o.admin, vnet: o.vnet, subnet: o.subnet,
		deleteDisks: o.deleteDisks, noPublicIP: o.noPublicIP, tags: o.tags,
	}
	var err error
	if s.image, err = parseImage(o.image); err != nil {
		return nil, err
	}
	if s.generation, err = generation(o.firmware); err != nil {
		return nil, err
	}
	for _, d := range o.dataDiskSizes {
		n, err := parseSizeGiB(d)
		if err != nil {
			return nil, err
		}
		s.dataDisksGiB = append(s.dataDisksGiB, n)
	}
	for _, p := range o.ports {
		r, err := parsePorts(p)
		if err != nil {
			return nil, err
		}
		s.ports = append(s.ports, r)
	}
	if err := o.readFiles(s, stdin); err != nil {
		return nil, err
	}
	return s, o.readKeys(s, keys)
}

// readFiles reads what is in files, of which one may be stdin.
func (o *createOptions) readFiles(s *createSpec, stdin io.Reader) error {
	fromStdin := 0
	read := func(flag, file string) (string, error) {
		if file == "" {
			return "", nil
		}
		var b []byte
		var err error
		if file == "-" {
			fromStdin++
			b, err = io.ReadAll(stdin)
		} else {
			b, err = os.ReadFile(file)
		}
		if err != nil {
			return "", fmt.Errorf("read %s: %w", flag, err)
		}
		return string(b), nil
	}
	password, err := read("--admin-password-file", o.passwordFile)
	if err != nil {
		return err
	}
	if s.password = strings.TrimRight(password, "\r\n"); s.password == "" && o.passwordFile != "" {
		return usageError{"there is no password in " + o.passwordFile}
	}
	custom, err := read("--custom-data", o.customDataFile)
	if err != nil {
		return err
	}
	user, err := read("--user-data", o.userDataFile)
	if err != nil {
		return err
	}
	if fromStdin > 1 {
		return usageError{"only one flag can read stdin"}
	}
	s.customData, s.userData = base64.StdEncoding.EncodeToString([]byte(custom)), base64.StdEncoding.EncodeToString([]byte(user))
	return nil
}

// readKeys finds the keys that may log in. With a password none is needed.
func (o *createOptions) readKeys(s *createSpec, keys keyring) error {
	for _, k := range o.sshKeys {
		key, err := readKey(k)
		if err != nil {
			return err
		}
		s.sshKeys = append(s.sshKeys, key)
	}
	if len(s.sshKeys) > 0 || s.password != "" {
		return nil
	}
	key, made, err := keys.public()
	s.sshKeys, s.madeKey = []string{key}, made
	return err
}

// body is the virtual machine for ARM. disks are the names of the OS disk and
// of the data disks.
func (s *createSpec) body(location string, image *armcompute.ImageReference, nic string, disks []string) *armcompute.VirtualMachine {
	storage := &armcompute.StorageProfile{
		ImageReference: image,
		OSDisk: &armcompute.OSDisk{
			Name: &disks[0], CreateOption: to.Ptr(armcompute.DiskCreateOptionTypesFromImage),
			DeleteOption: to.Ptr(armcompute.DiskDeleteOptionTypesDelete),
		},
	}
	option := armcompute.DiskDeleteOptionTypesDetach
	if s.deleteDisks {
		option = armcompute.DiskDeleteOptionTypesDelete
	}
	for i := range s.dataDisksGiB {
		storage.DataDisks = append(storage.DataDisks, &armcompute.DataDisk{
			Name: &disks[1+i], Lun: to.Ptr(int32(i)), DiskSizeGB: &s.dataDisksGiB[i],
			CreateOption: to.Ptr(armcompute.DiskCreateOptionTypesEmpty), DeleteOption: &option,
		})
	}
	return &armcompute.VirtualMachine{
		Location: &location,
		Tags:     pointers(s.tags),
		Properties: &armcompute.VirtualMachineProperties{
			HardwareProfile: &armcompute.HardwareProfile{VMSize: to.Ptr(armcompute.VirtualMachineSizeTypes(s.size))},
			StorageProfile:  storage,
			OSProfile:       s.osProfile(),
			NetworkProfile: &armcompute.NetworkProfile{NetworkInterfaces: []*armcompute.NetworkInterfaceReference{{
				ID: &nic,
				Properties: &armcompute.NetworkInterfaceReferenceProperties{
					Primary: to.Ptr(true), DeleteOption: to.Ptr(armcompute.DeleteOptionsDelete)},
			}}},
			DiagnosticsProfile: &armcompute.DiagnosticsProfile{BootDiagnostics: &armcompute.BootDiagnostics{Enabled: to.Ptr(true)}},
			UserData:           given(s.userData),
		},
	}
}

func (s *createSpec) osProfile() *armcompute.OSProfile {
	linux := &armcompute.LinuxConfiguration{DisablePasswordAuthentication: to.Ptr(s.password == "")}
	for i := range s.sshKeys {
		if linux.SSH == nil {
			linux.SSH = &armcompute.SSHConfiguration{}
		}
		linux.SSH.PublicKeys = append(linux.SSH.PublicKeys, &armcompute.SSHPublicKey{
			Path: to.Ptr("/home/" + s.admin + "/.ssh/authorized_keys"), KeyData: &s.sshKeys[i]})
	}
	return &armcompute.OSProfile{
		ComputerName: &s.name, AdminUsername: &s.admin, AdminPassword: given(s.password),
		CustomData: given(s.customData), LinuxConfiguration: linux,
	}
}

// given is s for the SDK: nil when it is empty.
func given(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
