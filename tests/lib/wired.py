"""A switch port and a laptop's cable: hostapd (driver wired) and wpa_supplicant -Dwired, over a veth."""
import re
from pathlib import Path

from .process import Process, wait_for

GROUP = "01:80:c2:00:00:03"  # PAE group address


class Switch:
    """hostapd as wired authenticator in `namespace`; the RADIUS server is reached from there."""

    def __init__(self, folder, namespace, interface, server, secret, identifier="switch-1"):
        self.folder, self.namespace, self.interface = Path(folder), namespace, interface
        host, port = server
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "hostapd.conf"
        config.write_text(f"""interface={interface}
driver=wired
logger_stdout=-1
logger_stdout_level=0
ctrl_interface={self.folder}/hostapd
ieee8021x=1
eap_reauth_period=0
use_pae_group_addr=1
own_ip_addr=127.0.0.1
nas_identifier={identifier}
auth_server_addr={host}
auth_server_port={port}
auth_server_shared_secret={secret}
""")
        self.process = Process(["hostapd", "-dK", config], self.folder / "hostapd.log", namespace=namespace)
        self.process.wait_line(r"AP-ENABLED", 10)

    def ports(self):
        """MAC -> flags of every station that the switch knows."""
        done = self.namespace.run("hostapd_cli", "-p", str(self.folder / "hostapd"), "-i", self.interface,
                                  "all_sta", check=False)
        return {mac: flags for mac, flags in
                re.findall(r"^((?:[0-9a-f]{2}:){5}[0-9a-f]{2})\n(?:flags=(.*))?", done.stdout, re.M)}

    def is_open(self, mac):
        return "[AUTHORIZED]" in self.ports().get(mac, "")

    def key(self):
        """The MSK that the last Access-Accept bore: what the laptop receives by, then what it sends by."""
        return "".join(_dumped(self.process.log, f"MS-MPPE-{which}-Key") for which in ("Recv", "Send"))

    def stop(self):
        self.process.stop()


def _dumped(log, name):
    """The octets of that name which hostap's log shows last, as hex."""
    return re.findall(rf"{name} - hexdump\(len=\d+\): ([0-9a-f ]+)", log)[-1].replace(" ", "").strip()


class Laptop:
    def __init__(self, folder, namespace, interface, network, mac=None):
        """mac: another one than its interface has."""
        if mac:
            namespace.run("ip", "link", "set", interface, "address", mac)
        self.folder, self.namespace, self.interface = Path(folder), namespace, interface
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "wpa.conf"
        config.write_text(f"ctrl_interface={self.folder}/wpa\nap_scan=0\n"
                          + network.replace("key_mgmt=WPA-EAP IEEE8021X", "key_mgmt=IEEE8021X"))
        self.process = Process(["wpa_supplicant", "-Dwired", f"-i{interface}", f"-c{config}", "-dK"],
                               self.folder / "wpa.log", namespace=namespace)
        link = namespace.run("ip", "link", "show", interface).stdout
        self.mac = re.search(r"link/ether (\S+)", link)[1]

    def status(self):
        done = self.namespace.run("wpa_cli", "-p", str(self.folder / "wpa"), "-i", self.interface, "status",
                                  check=False)
        return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)

    def key(self):
        """The MSK that its last method came to."""
        log = self.process.log
        method = "TTLS" if "EAP-TTLS: Derived" in log else "PEAP" if "EAP-PEAP: Derived" in log else "TLS"
        return _dumped(log, f"EAP-{method}: Derived key")

    def type_password(self, password):
        """What somebody types into the dialog that asks for it."""
        self.process.wait_line(r"CTRL-REQ-PASSWORD", 10)
        self.namespace.run("wpa_cli", "-p", str(self.folder / "wpa"), "-i", self.interface, "password", "0", password)

    def wait_authorized(self, seconds=45):
        return wait_for(lambda: self.status().get("suppPortStatus") == "Authorized", seconds,
                        "the laptop's port to open", every=0.1)

    def wait_refused(self, seconds=15):
        return self.process.wait_line(r"CTRL-EVENT-EAP-FAILURE", seconds)

    def stop(self):
        self.process.stop()
