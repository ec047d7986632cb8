# Changes who may log in. What to do is in variables of this script's own.
fail() {
	echo "$1" >&2
	exit 1
}

# ordinary says whether $1 is the name of a user who is none of the system's.
ordinary() {
	least=$(awk '$1 == "UID_MIN" { print $2 }' /etc/login.defs 2>/dev/null)
	[ "$(id -u "$1")" -ge "${least:-1000}" ]
}

# sudoers is the file that makes $1 root; one with a dot in its name is not read.
sudoers() { echo "/etc/sudoers.d/90-access-$(echo "$1" | tr . _)"; }

remove_user() {
	id -u "$1" >/dev/null 2>&1 || return 0
	ordinary "$1" || fail "The user $1 is one of the system's and is not removed."
	userdel -f -r "$1" 2>/dev/null
	! id -u "$1" >/dev/null 2>&1 || fail "The user $1 could not be removed."
	rm -f "$(sudoers "$1")"
}

serve_ssh() {
	if [ -d /run/systemd/system ]; then
		systemctl restart ssh 2>/dev/null || systemctl restart sshd
	else
		service ssh restart 2>/dev/null || service sshd restart
	fi || fail "The SSH server could not be restarted."
}

reset_ssh() {
	config=/etc/ssh/sshd_config
	[ -d /etc/ssh ] || fail "There is no SSH server."
	[ ! -f $config ] || cp -p $config "$config.$(date -u +%Y%m%dT%H%M%SZ)" || fail "$config could not be kept."
	sftp=$(ls /usr/lib/openssh/sftp-server /usr/libexec/openssh/sftp-server 2>/dev/null | head -n 1)
	if [ -f /usr/share/openssh/sshd_config ]; then
		cp /usr/share/openssh/sshd_config $config
	else
		printf '%s\n' 'Include /etc/ssh/sshd_config.d/*.conf' 'KbdInteractiveAuthentication no' 'UsePAM yes' \
			'X11Forwarding yes' 'PrintMotd no' "Subsystem sftp ${sftp:-internal-sftp}" >$config
	fi || fail "$config could not be written."
	chmod 644 $config
	ssh-keygen -A >/dev/null
	serve_ssh
}

make_user() {
	if id -u "$user" >/dev/null 2>&1; then
		ordinary "$user" || fail "The user $user is one of the system's and is not changed."
	else
		shell=/bin/bash
		[ -x $shell ] || shell=/bin/sh
		useradd -m -s $shell "$user" || fail "The user $user could not be made."
	fi
	right="ALL=(ALL) NOPASSWD:ALL"
	[ -z "$password" ] || right="ALL=(ALL) ALL"
	if [ -d /etc/sudoers.d ]; then
		echo "$user $right" >"$(sudoers "$user")" && chmod 440 "$(sudoers "$user")" || fail "The user $user could not be made root."
	fi
	[ -z "$expires" ] || usermod -e "$expires" "$user" || fail "The user $user could not be made to expire."
}

set_password() {
	printf '%s:%s\n' "$user" "$password" | chpasswd || fail "The password was not taken."
	if [ -d /etc/ssh/sshd_config.d ]; then
		echo 'PasswordAuthentication yes' >/etc/ssh/sshd_config.d/00-access.conf
		chmod 644 /etc/ssh/sshd_config.d/00-access.conf
	elif [ -f /etc/ssh/sshd_config ]; then
		sed -i 's/^[# ]*PasswordAuthentication .*/PasswordAuthentication yes/' /etc/ssh/sshd_config
	else
		return 0
	fi
	serve_ssh
}

# add_key writes as the user: what is in the home directory is the user's, and
# may be a link to something that is not.
add_key() {
	if command -v setpriv >/dev/null; then
		as="setpriv --reuid=$(id -u "$user") --regid=$(id -g "$user") --init-groups"
	else
		as="su -s /bin/sh $user --"
	fi
	home=$(awk -F: -v u="$user" '$1 == u { print $6 }' /etc/passwd)
	key=$key home=$home $as /bin/sh -c '
		umask 077
		file=$home/.ssh/authorized_keys
		mkdir -p "$home/.ssh" && touch "$file" || exit 1
		grep -qxF -e "$key" "$file" || printf "%s\n" "$key" >>"$file"
	' || fail "The key could not be added."
}

[ -z "$remove" ] || remove_user "$remove"
[ -z "$reset" ] || reset_ssh
[ -n "$user" ] || exit 0
make_user
[ -z "$password" ] || set_password
[ -z "$key" ] || add_key
