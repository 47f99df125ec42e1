# read who logs in:
#
# The user that sudo was called by; root where none was needed.
# See Logins.
printf 'pgtui-login 1 %s\n' "${SUDO_USER:-$(id -un)}"
