"""Names that FLARE's files and ours share, where FLARE itself is not needed."""

SERVER = "localhost"
"""Name of the server's machine; FLARE then listens on 127.0.0.1 alone."""
CONTROLLER = "consilium.alliance.joint_training.flare_server.StudyController"
EXECUTOR = "consilium.alliance.joint_training.flare_site.SiteExecutor"
FILTER = "consilium.alliance.joint_training.flare_site.OnlySums"
SITE_FILE = "consilium.json"
"""In the folder `local` of a kit: where the study lies at this place."""
