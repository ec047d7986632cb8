# Runs on the host when all packages are installed; $1 is the tree.
set -e
root=$1
cp -R "$LAZULI_ROOTFS/." "$root/"
: >"$root/etc/machine-id"
rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/hostname" "$root/etc/resolv.conf" "$root/etc/apt/apt.conf.d/99mmdebstrap"
ln -s ../run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
# Without it, the agent waits half an hour for an RSA key.
sed -i 's/^\(Provisioning.SshHostKeyPairType\)=.*/\1=ed25519/' "$root/etc/waagent.conf"
chroot "$root" systemctl enable systemd-networkd systemd-resolved
# What works in the minutes after a boot, and what waits for all networks.
chroot "$root" systemctl disable apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
	e2scrub_reap.service fstrim.timer
chroot "$root" systemctl mask systemd-networkd-wait-online.service
rm -rf "$root"/var/cache/apt/*.bin "$root"/var/log/*.log "$root"/var/log/apt
